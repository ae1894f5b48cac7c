"""The booking system's rooms; docs/architecture.md draws them."""

__version__ = "0.1.0"
