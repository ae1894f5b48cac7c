"""Which secrets production refuses."""

from __future__ import annotations

# Secrets that the README and the specification's samples publish: fit for development, never for patients' data. They
# are in lower case and with hyphens here, because `is_published` compares in that form.
PUBLISHED_SECRETS = frozenset(
    {
        "dev-secret",
        "jwt-dev-secret",
        "doc2024secret",
        "your-secret",
        "your-secret-key",
        "your-secret-key-here",
        "your-jwt-secret",
        "your-jwt-secret-key",
        "your-jwt-secret-key-here",
        "your-super-secret-key",
        "your-super-secret-jwt-key",
        "your-doctor-code",
        "your-doctor-invitation-code",
        "super-secret",
        "secret",
        "change-me",
        "changeme",
    }
)
# The fewest bytes of each secret.
SHORTEST = {
    "SECRET_KEY": 16,
    # RFC 7518, section 3.2: an HS256 key must be at least as long as the hash's output.
    "JWT_SECRET_KEY": 32,
    # Guesses of the code are throttled, and doctors type it.
    "DOCTOR_INVITATION_CODE": 8,
}


def why_unfit(name: str, secret: str) -> str | None:
    """Return why production refuses the value of this variable, or None when it is fit."""
    if is_published(secret):
        return "has a published value that anybody can read"
    if len(secret.encode()) < SHORTEST[name]:
        return f"is shorter than {SHORTEST[name]} bytes"
    return None


def is_published(secret: str) -> bool:
    """Say whether the README or a sample publishes this secret, in any letter case."""
    return secret.casefold().replace("_", "-") in PUBLISHED_SECRETS
