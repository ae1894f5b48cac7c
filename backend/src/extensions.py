"""Flask extensions, bound to an app in `create_app`."""

from __future__ import annotations

from flask_cors import CORS
from flask_jwt_extended import JWTManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

from src.models import Base

db = SQLAlchemy(metadata=Base.metadata)
migrate = Migrate()
jwt = JWTManager()
cors = CORS()
