"""The map: every call of the API, every page, and every form that a page posts.

`python app.py` serves it for development, `gunicorn app:app` in production.
"""

from __future__ import annotations

import sys
from http import HTTPStatus

from src.commands import COMMANDS, say_database_trouble
from src.controllers import account_controller as accounts
from src.controllers import affected_controller as affected
from src.controllers import appointment_controller as appointments
from src.controllers import auth_controller as auth
from src.controllers import availability_controller as availability
from src.controllers import cancellation_controller as cancellations
from src.controllers import doctor_controller as doctors
from src.controllers import email_controller as emails
from src.controllers import exception_controller as exceptions
from src.controllers import explanation_controller as explanations
from src.controllers import export_controller as exports
from src.controllers import guest_controller as guests
from src.controllers import hold_controller as holds
from src.controllers import hours_controller as hours
from src.controllers import note_controller as notes
from src.controllers import password_controller as passwords
from src.controllers import patient_controller as patients
from src.controllers import policy_controller as policies
from src.controllers import refresh_controller as refreshes
from src.controllers import reschedule_controller as reschedules
from src.controllers import schedule_controller as schedules
from src.controllers import search_controller as searches
from src.controllers import second_factor_controller as second_factors
from src.controllers import service_controller as service
from src.controllers import session_controller as sessions
from src.controllers import visit_type_controller as visit_types
from src.pages import account, booking, desk, front, mine, moving, outside, second_step, special_hours, week
from src.pages import doctors as doctor_list
from src.pages import exceptions as exception_pages
from src.pages import explain as explain_page
from src.pages import guests as guest_pages
from src.pages import hours as hours_pages
from src.pages import log_in as log_in_pages
from src.pages import passwords as password_pages
from src.pages import profile as profile_pages
from src.pages import second_factor as second_factor_pages
from src.pages import slots as slot_pages
from src.pages import visit_types as visit_type_pages
from src.web.application import create_app
from src.web.page_routes import Form, Page
from src.web.routes import ANYONE, DOCTOR, NEWCOMER, PATIENT, READER, SEARCHER, USER, VISITOR, Route

CREATED = HTTPStatus.CREATED

ROUTES: list[Route] = [
    Route("GET", "/", service.home, ANYONE, "service.home"),
    Route("GET", "/health", service.health, ANYONE, "service.health"),
    Route("GET", "/health/live", service.live, ANYONE, "service.live"),
    Route("GET", "/health/ready", service.ready, ANYONE, "service.ready"),

    Route("POST", "/auth/register", auth.register, ANYONE, "auth.register", CREATED),
    Route("POST", "/auth/login", auth.log_in, ANYONE, "auth.log_in"),
    Route("POST", "/auth/refresh", refreshes.refresh, ANYONE, "session.refresh"),
    Route("GET", "/auth/me", accounts.me, NEWCOMER, "auth.me"),
    Route("PATCH", "/auth/me", accounts.change, USER, "auth.change"),
    Route("GET", "/auth/me/export", exports.export, USER, "auth.export"),
    Route("POST", "/auth/logout", sessions.log_out, NEWCOMER, "session.log_out"),
    Route("POST", "/auth/logout-everywhere", sessions.log_out_everywhere, NEWCOMER, "session.log_out_everywhere"),
    Route("POST", "/auth/password", sessions.change_password, USER, "session.change_password"),
    Route("POST", "/auth/email/confirm", emails.confirm, ANYONE, "email.confirm"),
    Route("POST", "/auth/email/confirm/resend", emails.resend, USER, "email.resend"),
    Route("POST", "/auth/guest", guests.ask, ANYONE, "guest.ask"),
    Route("POST", "/auth/guest/confirm", guests.confirm, ANYONE, "guest.confirm"),
    Route("POST", "/auth/password/forgot", passwords.forgot, ANYONE, "password.forgot"),
    Route("POST", "/auth/password/reset", passwords.reset, ANYONE, "password.reset"),
    Route("GET", "/auth/second-factor", second_factors.show, NEWCOMER, "second_factor.show"),
    Route("POST", "/auth/second-factor", second_factors.begin, NEWCOMER, "second_factor.begin", CREATED),
    Route("POST", "/auth/second-factor/confirm", second_factors.confirm, NEWCOMER, "second_factor.confirm"),
    Route("DELETE", "/auth/second-factor", second_factors.turn_off, NEWCOMER, "second_factor.turn_off"),
    Route("POST", "/auth/second-factor/recovery-codes", second_factors.renew_recovery_codes, NEWCOMER,
          "second_factor.renew_recovery_codes"),

    Route("GET", "/doctor/dashboard", doctors.dashboard, DOCTOR, "doctor.dashboard"),
    Route("GET", "/doctor/schedule", schedules.show, DOCTOR, "doctor.schedule"),
    Route("GET", "/doctor/profile", doctors.profile, DOCTOR, "doctor.profile"),
    Route("POST", "/doctor/profile", doctors.update_profile, DOCTOR, "doctor.update_profile"),
    Route("DELETE", "/doctor/account", doctors.delete_account, DOCTOR, "doctor.delete_account"),
    Route("GET", "/doctor/availability", availability.list_own, DOCTOR, "availability.list_own"),
    Route("POST", "/doctor/availability", availability.publish, DOCTOR, "availability.publish", CREATED),
    Route("DELETE", "/doctor/availability/<int:slot_id>", availability.withdraw, DOCTOR, "availability.withdraw"),
    Route("GET", "/doctor/availability/explain", explanations.explain, DOCTOR, "availability.explain"),

    Route("GET", "/doctor/visit-types", visit_types.list_all, DOCTOR, "visit_type.list"),
    Route("POST", "/doctor/visit-types", visit_types.add, DOCTOR, "visit_type.add", CREATED,
          location="/doctor/visit-types/{visit_type_id}"),
    Route("PUT", "/doctor/visit-types/<int:visit_type_id>", visit_types.replace, DOCTOR, "visit_type.replace"),
    Route("DELETE", "/doctor/visit-types/<int:visit_type_id>", visit_types.retire, DOCTOR, "visit_type.retire"),
    Route("GET", "/doctor/hours", hours.show, DOCTOR, "hours.show", etag="{revision}"),
    Route("PUT", "/doctor/hours", hours.replace, DOCTOR, "hours.replace", etag="{revision}"),
    Route("GET", "/doctor/exceptions", exceptions.list_all, DOCTOR, "exception.list"),
    Route("POST", "/doctor/exceptions", exceptions.add, DOCTOR, "exception.add", CREATED,
          location="/doctor/exceptions/{id}"),
    Route("DELETE", "/doctor/exceptions/<int:exception_id>", exceptions.delete, DOCTOR, "exception.delete"),
    Route("GET", "/doctor/policies", policies.show, DOCTOR, "policy.show"),
    Route("PUT", "/doctor/policies", policies.replace, DOCTOR, "policy.replace"),
    Route("GET", "/doctor/affected", affected.list_all, DOCTOR, "appointment.list_affected"),
    Route("POST", "/doctor/affected/cancel", affected.cancel, DOCTOR, "appointment.cancel_affected"),

    Route("GET", "/patient/dashboard", patients.dashboard, PATIENT, "patient.dashboard"),
    Route("DELETE", "/patient/account", patients.delete_account, PATIENT, "patient.delete_account"),
    Route("GET", "/patient/doctors", patients.list_doctors, PATIENT, "patient.list_doctors"),
    Route("GET", "/patient/doctors/<int:doctor_id>", patients.show_doctor, PATIENT, "patient.show_doctor"),
    Route("GET", "/patient/doctors/<int:doctor_id>/availability", availability.free_slots, PATIENT,
          "availability.free_slots"),
    Route("GET", "/patient/doctors/<int:doctor_id>/visit-types", visit_types.list_for_patients, PATIENT,
          "visit_type.list_for_patients"),

    Route("GET", "/slots", searches.search, SEARCHER, "slot.search"),

    Route("POST", "/appointments", appointments.book, PATIENT, "appointment.book", CREATED,
          location="/appointments/{appointment_id}"),
    Route("GET", "/appointments/my", appointments.list_mine, PATIENT, "appointment.list_mine"),
    Route("GET", "/appointments/doctor", appointments.list_doctors, DOCTOR, "appointment.list_doctors"),
    Route("GET", "/appointments/<int:appointment_id>", appointments.show, USER, "appointment.show", etag="{revision}"),
    Route("POST", "/appointments/<int:appointment_id>/cancel", cancellations.cancel, USER, "appointment.cancel",
          body_optional=True),
    Route("POST", "/appointments/<int:appointment_id>/reschedule", reschedules.reschedule, USER,
          "appointment.reschedule"),
    Route("PUT", "/appointments/<int:appointment_id>/note", notes.write, DOCTOR, "appointment.note"),
    Route("POST", "/holds", holds.hold, PATIENT, "hold.hold", CREATED, location="/holds/{hold_id}"),
    Route("DELETE", "/holds/<int:hold_id>", holds.release, PATIENT, "hold.release"),

    Route("GET", "/dev/outbox", service.development_outbox, ANYONE, "service.development_outbox",
          development_only=True),
]  # fmt: skip

PAGES: list[Page] = [
    Page("/", front.welcome, READER, "front.html"),
    Page("/demo", front.welcome, READER, "front.html", development_only=True),
    Page("/home", log_in_pages.home, USER, "front.html"),
    Page("/log-in", log_in_pages.entrance, READER, "log_in.html"),
    Page("/log-in/code", second_step.ask, READER, "log_in_code.html"),
    Page("/register", log_in_pages.entrance, READER, "register.html"),
    Page("/log-out", log_in_pages.nothing, READER, "log_out.html"),
    Page("/log-out/everywhere", log_in_pages.nothing, NEWCOMER, "log_out_everywhere.html"),
    Page("/password", log_in_pages.nothing, USER, "password.html"),
    Page("/email", account.show, USER, "email.html"),
    Page("/email/confirm", account.choose, READER, "email_confirm.html"),
    Page("/email/confirm/resend", log_in_pages.nothing, USER, "email_resend.html"),
    Page("/guest", guest_pages.show, READER, "guest.html"),
    Page("/guest/sent", log_in_pages.nothing, READER, "guest_sent.html"),
    Page("/guest/confirm", guest_pages.choose, READER, "guest_confirm.html"),
    Page("/password/forgot", log_in_pages.nothing, READER, "password_forgot.html"),
    Page("/password/forgot/sent", log_in_pages.nothing, READER, "password_sent.html"),
    Page("/password/reset", password_pages.choose, READER, "password_reset.html"),

    Page("/second-factor", second_factor_pages.state, NEWCOMER, "second_factor.html"),
    Page("/second-factor/set-up", log_in_pages.nothing, NEWCOMER, "second_factor_set_up.html"),
    Page("/second-factor/confirm", log_in_pages.nothing, NEWCOMER, "second_factor_confirm.html"),
    Page("/second-factor/recovery-codes", log_in_pages.nothing, NEWCOMER, "second_factor_recovery_codes.html"),
    Page("/second-factor/turn-off", log_in_pages.nothing, NEWCOMER, "second_factor_turn_off.html"),

    Page("/book", doctor_list.find, VISITOR, "doctors.html"),
    Page("/book/<int:doctor_id>", booking.times, VISITOR, "times.html"),
    Page("/book/<int:doctor_id>/<int:slot_id>", booking.confirm, VISITOR, "check.html"),
    Page("/embed/<int:doctor_id>", booking.times, VISITOR, "embed.html", embedded=True),

    Page("/my", mine.my_appointments, PATIENT, "mine.html"),
    Page("/my/account", account.show, PATIENT, "account.html"),
    Page("/my/account/export", log_in_pages.export, PATIENT, "account.html"),
    Page("/my/account/delete", log_in_pages.leave, PATIENT, "account_delete.html"),
    Page("/my/<int:appointment_id>", mine.appointment, PATIENT, "appointment.html"),
    Page("/my/<int:appointment_id>/cancel", mine.appointment, PATIENT, "cancel.html"),
    Page("/my/<int:appointment_id>/calendar.ics", mine.calendar, PATIENT, "appointment.html"),
    Page("/my/<int:appointment_id>/move", moving.times, PATIENT, "move.html"),
    Page("/my/<int:appointment_id>/move/<int:slot_id>", moving.confirm, PATIENT, "move_to.html"),

    Page("/desk", week.week, DOCTOR, "week.html"),
    Page("/desk/day", week.day, DOCTOR, "day.html"),
    Page("/desk/appointments/<int:appointment_id>", desk.appointment, DOCTOR, "desk_appointment.html"),
    Page("/desk/appointments/<int:appointment_id>/week", desk.week_of, DOCTOR, "week.html"),
    Page("/desk/appointments/<int:appointment_id>/cancel", desk.appointment, DOCTOR, "desk_cancel.html"),
    Page("/desk/appointments/<int:appointment_id>/move", desk.move, DOCTOR, "desk_move.html"),
    Page("/desk/appointments/<int:appointment_id>/move/<int:slot_id>", desk.move_to, DOCTOR, "desk_move_to.html"),

    Page("/desk/hours", hours_pages.week, DOCTOR, "hours.html"),
    Page("/desk/hours/special/new", special_hours.new, DOCTOR, "special_hours.html"),
    Page("/desk/hours/special/<int:number>", special_hours.edit, DOCTOR, "special_hours.html"),
    Page("/desk/hours/special/<int:number>/delete", special_hours.edit, DOCTOR, "special_hours_delete.html"),
    Page("/desk/exceptions", exception_pages.list_all, DOCTOR, "exceptions.html"),
    Page("/desk/exceptions/new", exception_pages.new, DOCTOR, "exception_new.html"),
    Page("/desk/exceptions/<int:exception_id>/delete", exception_pages.show, DOCTOR, "exception_delete.html"),
    Page("/desk/affected", outside.outside, DOCTOR, "affected.html"),
    Page("/desk/explain", explain_page.explain, DOCTOR, "explain.html"),
    Page("/desk/visit-types", visit_type_pages.list_all, DOCTOR, "visit_types.html"),
    Page("/desk/visit-types/new", visit_type_pages.new, DOCTOR, "visit_type.html"),
    Page("/desk/visit-types/<int:visit_type_id>", visit_type_pages.edit, DOCTOR, "visit_type.html"),
    Page("/desk/visit-types/<int:visit_type_id>/retire", visit_type_pages.edit, DOCTOR, "visit_type_retire.html"),
    Page("/desk/slots/new", slot_pages.new, DOCTOR, "slot_new.html"),
    Page("/desk/slots/<int:slot_id>/withdraw", slot_pages.show, DOCTOR, "slot_withdraw.html"),
    Page("/desk/profile", profile_pages.show, DOCTOR, "profile.html"),
    Page("/desk/account", account.show, DOCTOR, "account.html"),
    Page("/desk/profile/export", log_in_pages.export, DOCTOR, "profile.html"),
    Page("/desk/profile/delete", profile_pages.leave, DOCTOR, "profile_delete.html"),

    Page("/dev/outbox", front.outbox, READER, "outbox.html", development_only=True),
]  # fmt: skip

FORMS: list[Form] = [
    Form("/demo", front.become, ANYONE, "demo.become", then="{next}", session="begins"),
    Form("/log-in", log_in_pages.log_in, ANYONE, "auth.log_in", then="{next}", session="begins"),
    Form("/log-in/code", second_step.log_in, ANYONE, "auth.log_in", then="{next}", session="begins"),
    Form("/register", log_in_pages.register, ANYONE, "auth.register", then="{next}", session="begins"),
    Form("/log-out", sessions.log_out, NEWCOMER, "session.log_out", then="/book", session="ends"),
    Form("/log-out/everywhere", sessions.log_out_everywhere, NEWCOMER, "session.log_out_everywhere", then="/book",
         session="ends"),
    Form("/password", sessions.change_password, USER, "session.change_password", then="/home", session="begins"),
    Form("/email", account.ask_for_new_address, USER, "auth.change", then="/email"),
    Form("/email/confirm", account.confirm, ANYONE, "email.confirm", then="{next}"),
    Form("/email/confirm/resend", emails.resend, USER, "email.resend", then="/email/confirm"),
    Form("/guest", guest_pages.ask, ANYONE, "guest.ask", then="/guest/sent"),
    Form("/guest/confirm", guest_pages.confirm, ANYONE, "guest.confirm", then="{next}", session="begins"),
    Form("/password/forgot", password_pages.ask, ANYONE, "password.forgot", then="/password/forgot/sent"),
    Form("/password/reset", passwords.reset, ANYONE, "password.reset", then="/log-in"),
    Form("/second-factor/set-up", second_factor_pages.begin, NEWCOMER, "second_factor.begin",
         shows="second_factor_begun.html"),
    Form("/second-factor/confirm", second_factors.confirm, NEWCOMER, "second_factor.confirm",
         shows="second_factor_codes.html"),
    Form("/second-factor/recovery-codes", second_factors.renew_recovery_codes, NEWCOMER,
         "second_factor.renew_recovery_codes", shows="second_factor_codes.html"),
    Form("/second-factor/turn-off", second_factors.turn_off, NEWCOMER, "second_factor.turn_off", then="/second-factor"),
    Form("/book/<int:doctor_id>/<int:slot_id>", appointments.book, PATIENT, "appointment.book",
         then="/my/{appointment_id}"),
    Form("/my/account", account.save, PATIENT, "auth.change", then="/my/account?language={language}"),
    Form("/my/account/delete", patients.delete_account, PATIENT, "patient.delete_account", then="/", session="ends"),
    Form("/my/<int:appointment_id>/cancel", cancellations.cancel, PATIENT, "appointment.cancel", then="/my"),
    Form("/my/<int:appointment_id>/move/<int:slot_id>", reschedules.reschedule, PATIENT, "appointment.reschedule",
         then="/my/{appointment_id}"),

    Form("/desk/appointments/<int:appointment_id>", desk.write_note, DOCTOR, "appointment.note",
         then="/desk/appointments/{appointment_id}"),
    Form("/desk/appointments/<int:appointment_id>/cancel", cancellations.cancel, DOCTOR, "appointment.cancel",
         then="/desk/appointments/{appointment_id}/week"),
    Form("/desk/appointments/<int:appointment_id>/move/<int:slot_id>", reschedules.reschedule, DOCTOR,
         "appointment.reschedule", then="/desk/appointments/{appointment_id}"),
    Form("/desk/hours", hours_pages.save, DOCTOR, "hours.replace", then="/desk/hours"),
    Form("/desk/hours/special/new", special_hours.add, DOCTOR, "hours.replace", then="/desk/hours"),
    Form("/desk/hours/special/<int:number>", special_hours.change, DOCTOR, "hours.replace", then="/desk/hours"),
    Form("/desk/hours/special/<int:number>/delete", special_hours.delete, DOCTOR, "hours.replace", then="/desk/hours"),
    Form("/desk/exceptions/new", exception_pages.add, DOCTOR, "exception.add", then="/desk/exceptions"),
    Form("/desk/exceptions/<int:exception_id>/delete", exception_pages.delete, DOCTOR, "exception.delete",
         then="/desk/exceptions"),
    Form("/desk/affected", affected.cancel, DOCTOR, "appointment.cancel_affected", then="/desk/affected"),
    Form("/desk/visit-types/new", visit_type_pages.add, DOCTOR, "visit_type.add", then="/desk/visit-types"),
    Form("/desk/visit-types/<int:visit_type_id>", visit_type_pages.replace, DOCTOR, "visit_type.replace",
         then="/desk/visit-types"),
    Form("/desk/visit-types/<int:visit_type_id>/retire", visit_types.retire, DOCTOR, "visit_type.retire",
         then="/desk/visit-types"),
    Form("/desk/slots/new", slot_pages.publish, DOCTOR, "availability.publish", then="/desk?from={date}"),
    Form("/desk/slots/<int:slot_id>/withdraw", slot_pages.withdraw, DOCTOR, "availability.withdraw",
         then="/desk?from={date}"),
    Form("/desk/profile", profile_pages.save, DOCTOR, "doctor.update_profile", then="/desk/profile"),
    Form("/desk/account", account.save, DOCTOR, "auth.change", then="/desk/account?language={language}"),
    Form("/desk/profile/delete", doctors.delete_account, DOCTOR, "doctor.delete_account", then="/", session="ends"),
]  # fmt: skip

app = create_app(ROUTES, pages=PAGES, forms=FORMS, commands=COMMANDS)
sys.excepthook = say_database_trouble

if __name__ == "__main__":
    from src.server.development import serve

    serve(app)
