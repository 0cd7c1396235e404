"""The policy in force."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from app.api.context import Context
from app.api.http.route import GuardedRoute, declare
from app.api.http.tags import UNCHANGED
from app.api.schemas.policy import PolicyInForce

router = APIRouter(prefix="/v1/policy", tags=["policy"], route_class=GuardedRoute)


@router.get(
    "", summary="The policy in force", **declare("callbacks:read", also=UNCHANGED, response_model=PolicyInForce)
)
async def show(context: Context) -> Response:
    """With every default filled in, and a version that changes with any value."""
    policy = context.policy
    answer = PolicyInForce(version=policy.version, name=policy.name, policy=policy.model_dump(mode="json"))
    return context.show(answer, version=policy.version)
