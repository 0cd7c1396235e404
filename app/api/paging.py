"""The Link header of a list (RFC 8288)."""

from __future__ import annotations

from urllib.parse import urlencode

from app.api.desk import RequestContext


def next_link(desk: RequestContext, cursor: str | None) -> dict[str, str]:
    """The next page: the same filters, and the cursor. Nothing on the last page."""
    if cursor is None:
        return {}
    url = desk.request.url
    filters = [(name, value) for name, value in desk.request.query_params.multi_items() if name != "cursor"]
    return {"Link": f'<{desk.base}{url.path}?{urlencode([*filters, ("cursor", cursor)])}>; rel="next"'}
