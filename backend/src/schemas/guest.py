"""What somebody says who books without an account."""

from __future__ import annotations

from pydantic import Field

from src.schemas.base import In
from src.schemas.contact import Phone
from src.schemas.fields import Email, Name


class Guest(In):
    """Who books, and where the mail goes."""

    name: Name = Field(examples=["Ada Example"])
    email: Email = Field(examples=["ada@patients.example"])
    phone: Phone | None = None
