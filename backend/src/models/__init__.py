"""The tables."""

from src.models.appointment import Appointment, AppointmentEvent
from src.models.availability_slot import AvailabilitySlot
from src.models.base import Base
from src.models.doctor_profile import DoctorProfile
from src.models.outbox_mail import OutboxMail
from src.models.user import User

__all__ = ["Appointment", "AppointmentEvent", "AvailabilitySlot", "Base", "DoctorProfile", "OutboxMail", "User"]
