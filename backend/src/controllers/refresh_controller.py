"""New tokens for a refresh token."""

from __future__ import annotations

from src.context import SlowContext
from src.controllers import session_tokens
from src.controllers.session_tokens import Account
from src.errors import Throttled
from src.errors_of_accounts import RefreshTokenRefused
from src.repositories import account_locks as locks
from src.repositories import refresh_token_repository as refresh_tokens
from src.repositories import session_repository as sessions
from src.repositories import throttle_repository as throttle
from src.repositories.throttle_limits import refresh_token_limits
from src.schemas.auth import AccessToken, Refresh
from src.utils.decorators import raises


@raises(RefreshTokenRefused, Throttled)
def refresh(ctx: SlowContext[None], body: Refresh) -> AccessToken:
    """Use a refresh token up and get new tokens of the same session.

    A token that is sent again may be stolen, so it ends the session, with all its tokens (RFC 9700, section 4.14.2).
    Never send one twice, also not at the same time.
    """
    limits = refresh_token_limits(ctx.settings, ctx.address)
    with ctx.transaction(writes=False) as db:
        throttle.check(db, ctx, limits)
    with ctx.transaction(writes=True) as db:
        token = refresh_tokens.find(db, body.refresh_token, ctx.now)
        if token is not None and locks.lock_living(db, token.user_id):
            if refresh_tokens.use(db, token.id, ctx.now):
                account = Account(token.user_id, token.role, token.epoch)
                return AccessToken(**session_tokens.go_on(ctx, db, account, token.family, token.expires_at))
            sessions.end(db, token.family, token.expires_at)
    if token is not None:
        raise RefreshTokenRefused(token.user_id, was_reused=True)
    throttle.count_failure(ctx, limits)
    raise RefreshTokenRefused
