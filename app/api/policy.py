"""The policy in force."""

from __future__ import annotations

import hashlib

from fastapi import APIRouter
from starlette.responses import Response

from alerts.policy import Policy
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
    version = policy_version(context.policy)
    answer = PolicyInForce(version=version, name=context.policy.name, policy=context.policy.model_dump(mode="json"))
    return context.show(answer, version=version)


def policy_version(policy: Policy) -> str:
    """The same for the same values, in whatever file they stand; 16 hex digits."""
    return hashlib.sha256(policy.model_dump_json().encode()).hexdigest()[:16]
