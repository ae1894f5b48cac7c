"""The tables."""

from src.models.appointment import Appointment, AppointmentEvent
from src.models.availability import AvailabilitySlot
from src.models.base import Base
from src.models.doctor import DoctorProfile
from src.models.doctor_block import PROFILES_OF_A_BLOCK, DoctorBlock
from src.models.idempotent_answer import IdempotentAnswer
from src.models.installation import Installation
from src.models.outbox_mail import OutboxMail
from src.models.session import FailedAttempts, RevokedToken
from src.models.user import User

# The migration that these models need; numbers grow, so a later one serves as well.
SCHEMA_REVISION = "0006"

__all__ = [
    "PROFILES_OF_A_BLOCK",
    "SCHEMA_REVISION",
    "Appointment",
    "AppointmentEvent",
    "AvailabilitySlot",
    "Base",
    "DoctorBlock",
    "DoctorProfile",
    "FailedAttempts",
    "IdempotentAnswer",
    "Installation",
    "OutboxMail",
    "RevokedToken",
    "User",
]
