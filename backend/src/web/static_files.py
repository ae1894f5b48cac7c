"""The pages' static files: the content's hash is in the name, so that browsers keep them for a year."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.exceptions import NotFound

FOLDER = Path(__file__).parents[1] / "pages" / "static"
FIRST_STEP = "/static"
HASH_DIGITS = 10
FOR_A_YEAR = "public, max-age=31536000, immutable"
# During an update, a page of the new version may ask a machine that still runs the old one, and the other way round.
FOR_A_MINUTE = "public, max-age=60"


@dataclass(frozen=True)
class StaticFile:
    hashed_name: str
    media_type: str
    content: bytes
    zipped: bytes

    @classmethod
    def read(cls, path: Path) -> StaticFile:
        content = path.read_bytes()
        digits = hashlib.sha256(content).hexdigest()[:HASH_DIGITS]
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return cls(f"{path.stem}.{digits}{path.suffix}", media_type, content, gzip.compress(content, mtime=0))


class StaticFiles:
    """All static files, read once at the start."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._by_name = {path.name: StaticFile.read(path) for path in sorted(folder.iterdir())}

    def address(self, name: str) -> str:
        """Return the path of a file, below the prefix."""
        return f"{FIRST_STEP}/{self._by_name[name].hashed_name}"

    def serve(self, name: str) -> Response:
        """Answer with the file; raise NotFound for an unknown name."""
        stem, _, rest = name.partition(".")
        file = self._by_name.get(f"{stem}.{rest.rpartition('.')[2]}")
        if file is None:
            raise NotFound
        zips = "gzip" in request.accept_encodings
        response = Response(file.zipped if zips else file.content, mimetype=file.media_type)
        if zips:
            response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")
        response.headers["Cache-Control"] = FOR_A_YEAR if name == file.hashed_name else FOR_A_MINUTE
        return response


def register_static_files(app: Flask) -> StaticFiles:
    """Serve the static files, and return them."""
    files = StaticFiles()
    app.add_url_rule(f"{FIRST_STEP}/<name>", endpoint="static file", view_func=files.serve, methods=["GET"])
    return files
