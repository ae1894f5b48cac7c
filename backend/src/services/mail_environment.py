"""The templates of mails."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from src.services.mail import Mail
from src.settings.clinic import Clinic

mail_templates = Environment(
    loader=PackageLoader("src.services", "mail_templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)


def mail_from(template: str, to: str, subject: str, clinic: Clinic, **values: Any) -> Mail:
    """Render both forms of a mail, text and HTML."""
    values |= {"subject": subject, "clinic": clinic}
    text, html = (mail_templates.get_template(f"{template}.{form}").render(values) for form in ("txt", "html"))
    return Mail(to, subject, text, html, clinic.reply_to)
