"""The Link header of a list (RFC 8288)."""

from __future__ import annotations

from urllib.parse import urlencode

from app.api.context import RequestContext


def next_link(context: RequestContext, cursor: str | None) -> dict[str, str]:
    """The next page: the same filters, and the cursor. Nothing on the last page."""
    if cursor is None:
        return {}
    url = context.request.url
    filters = [(name, value) for name, value in context.request.query_params.multi_items() if name != "cursor"]
    return {"Link": f'<{context.base}{url.path}?{urlencode([*filters, ("cursor", cursor)])}>; rel="next"'}
