"""The packages of the booking system; docs/architecture.md says what each is for."""

__version__ = "0.1.0"
