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
# RFC 7518, section 3.2: an HS256 key must be at least as long as the hash's output.
SHORTEST_JWT_SECRET_BYTES = 32


def is_published(secret: str) -> bool:
    """Say whether the README or a sample publishes this secret, in any letter case."""
    return secret.casefold().replace("_", "-") in PUBLISHED_SECRETS
