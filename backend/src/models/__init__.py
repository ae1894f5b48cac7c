"""Every model; importing this package registers all tables in `Base.metadata`."""

from src.models.appointment import Appointment, AppointmentEvent
from src.models.availability import AvailabilitySlot
from src.models.base import Base
from src.models.doctor import DoctorProfile
from src.models.doctor_block import PROFILES_OF_A_BLOCK, DoctorBlock
from src.models.email_confirmation import EmailConfirmation
from src.models.hours import HoursException, Opening, WeeklyHours
from src.models.idempotent_answer import IdempotentAnswer
from src.models.installation import Installation
from src.models.outbox_mail import OutboxMail
from src.models.password_reset import PasswordReset
from src.models.recovery_code import RecoveryCode
from src.models.session import FailedAttempts, RefreshToken, RevokedToken
from src.models.user import User
from src.models.visit_type import VisitType, VisitTypeVersion

__all__ = [
    "PROFILES_OF_A_BLOCK",
    "Appointment",
    "AppointmentEvent",
    "AvailabilitySlot",
    "Base",
    "DoctorBlock",
    "DoctorProfile",
    "EmailConfirmation",
    "FailedAttempts",
    "HoursException",
    "IdempotentAnswer",
    "Installation",
    "Opening",
    "OutboxMail",
    "PasswordReset",
    "RecoveryCode",
    "RefreshToken",
    "RevokedToken",
    "User",
    "VisitType",
    "VisitTypeVersion",
    "WeeklyHours",
]
