"""POST /jobs/: how an upload comes in. The size is checked before the body is read; the body is streamed to disk."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from capture.models import Job
from capture.services import admission, create, storage
from capture.services.errors import Refused
from capture.services.options import parse_options

RAW_TYPES = (
    "application/vnd.tcpdump.pcap",
    "application/octet-stream",
    "application/x-pcapng",
    "application/gzip",
    "application/zstd",
)
NOT_OPTIONS = ("wait", "as")
MAX_JSON = 1 << 20
# What a multipart body holds beside the file.
MULTIPART_ROOM = 1 << 20


def job_from_request(request: HttpRequest) -> Job:
    """Makes the job that a POST orders. Raises Refused: before the body is read where that can be."""
    kind = (request.content_type or "").lower()
    length = _content_length(request)
    room = MULTIPART_ROOM if kind == "multipart/form-data" else 0
    if length is not None and length > settings.MAX_UPLOAD_BYTES + room:
        raise storage.too_large(length)
    owner = getattr(request, "user", None)
    with admission.admitted(owner):
        return _job(request, kind, length, owner)


def _job(request: HttpRequest, kind: str, length: int | None, owner: Any) -> Job:
    if kind == "application/json":
        return _from_json(request, length, owner)
    if kind == "multipart/form-data":
        return _from_multipart(request, length, owner)
    if kind in RAW_TYPES:
        given = {name: value for name, value in request.GET.items() if name not in NOT_OPTIONS}
        options = parse_options(given)
        upload = storage.receive(_body(request, length), options.name or "upload")
        if length is not None and upload.size < length:
            upload.discard()
            raise _broke_off(upload.size, length)
        return create.from_upload(upload, options, owner)
    if not kind and not length:
        raise Refused("the body is empty: send a capture, or say what to capture")
    raise Refused(
        f"Content-Type {kind or '(none)'} is not one of multipart/form-data (a field `file`), "
        f"{', '.join(RAW_TYPES)}, application/json",
        415,
    )


def _content_length(request: HttpRequest) -> int | None:
    text = request.META.get("CONTENT_LENGTH") or ""
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise Refused(f"Content-Length {text!r} is not a number") from None


def _body(request: HttpRequest, length: int | None) -> Iterator[bytes]:
    # Django reads nothing from a body without a Content-Length (curl -T - sends chunks): the server's own stream knows its end.
    stream = request if length is not None else request.META.get("wsgi.input", request)
    try:
        while chunk := stream.read(storage.CHUNK):
            yield chunk
    except OSError as error:
        raise Refused(f"the upload broke off: {error}") from None


def _broke_off(came: int, length: int) -> Refused:
    """A client that goes away in the middle looks like the end of the body: what came is no capture of theirs."""
    return Refused(f"the upload broke off: {came:,} of {length:,} bytes came")


class _Counted:
    """A request's body that counts what was read of it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.count = 0

    def read(self, *size: int) -> bytes:
        piece: bytes = self._stream.read(*size)
        self.count += len(piece)
        return piece

    def readline(self, *size: int) -> bytes:
        line: bytes = self._stream.readline(*size)
        self.count += len(line)
        return line


def _from_json(request: HttpRequest, length: int | None, owner: Any) -> Job:
    if length is not None and length > MAX_JSON:
        raise Refused(f"a JSON order of {length:,} bytes is more than {MAX_JSON:,}", 413)
    try:
        order = json.loads(request.read(MAX_JSON + 1) or b"null")
    except (ValueError, RecursionError) as error:
        raise Refused(f"the body is not JSON: {error}") from None
    if not isinstance(order, dict):
        raise Refused('the order must be a JSON object, for example {"filename": "a.pcap"} or {"iface": "eth0"}')
    iface, filename = order.pop("iface", None), order.pop("filename", None)
    if (iface is None) == (filename is None):
        raise Refused("say what to capture: either iface (a name or a list of names) or filename (in the import folder)")
    options = parse_options(order)
    if filename is not None:
        if not isinstance(filename, str):
            raise Refused(f"option filename: must be text, not {filename!r}", option="filename")
        return create.from_path(storage.import_path(filename), options, owner)
    names = [iface] if isinstance(iface, str) else iface
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise Refused(f"option iface: must be a name or a list of names, not {iface!r}", option="iface")
    return create.from_interfaces(names, options, owner)


def _from_multipart(request: HttpRequest, length: int | None, owner: Any) -> Job:
    handler = _ToDisk(request)
    request.upload_handlers = [handler]
    body = _Counted(request._stream)
    request._stream = body  # type: ignore[assignment]  # Django reads it, and nothing else of it is used
    try:
        form = request.POST
        if length is not None and body.count < length:
            raise _broke_off(body.count, length)
        given = {name: form.getlist(name)[-1] if len(form.getlist(name)) == 1 else form.getlist(name) for name in form}
        for name in ("csrfmiddlewaretoken", *NOT_OPTIONS):
            given.pop(name, None)
        iface = given.pop("iface", "")
        filename = given.pop("filename", "")
        options = parse_options(given)
        places = [name for name, said in (("file", handler.upload), ("iface", iface), ("filename", filename)) if said]
        if len(places) > 1:
            raise Refused(f"say one thing to capture, not {' and '.join(places)}", option=places[1])
        if handler.upload is not None:
            upload, handler.upload = handler.upload, None
            return create.from_upload(upload, options, owner)
        if iface:
            return create.from_interfaces([iface] if isinstance(iface, str) else list(iface), options, owner)
        if filename and isinstance(filename, str):
            return create.from_path(storage.import_path(filename), options, owner)
        raise Refused("no capture came: send it as the field `file`, or name an iface", option="file")
    except (MultiPartParserError, BadRequest, SuspiciousOperation, RequestDataTooBig, TooManyFieldsSent) as error:
        raise Refused(f"the form cannot be read: {error}") from None
    except OSError as error:
        raise Refused(f"the upload broke off: {error}") from None
    finally:
        handler.discard()


class _ToDisk(FileUploadHandler):
    """Streams the field `file` into the captures' own folder, hashing it on the way."""

    chunk_size = storage.CHUNK

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.receiver: storage.Receiver | None = None
        self.upload: storage.Upload | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.field_name != "file":
            raise Refused(f"a file came as the field {self.field_name!r}: send it as `file`", option="file")
        if self.upload is not None:
            raise Refused("more than one file came: one job takes one file", option="file")
        self.receiver = storage.Receiver(self.file_name or "upload")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        assert self.receiver is not None
        self.receiver.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile[bytes]:
        assert self.receiver is not None
        receiver, self.receiver = self.receiver, None
        self.upload = receiver.finish()
        return UploadedFile(io.BytesIO(), self.upload.name, size=file_size)

    def upload_interrupted(self) -> None:
        self.discard()

    def discard(self) -> None:
        """Removes what came and was not taken over by a job."""
        if self.receiver is not None:
            self.receiver.abort()
            self.receiver = None
        if self.upload is not None:
            self.upload.discard()
            self.upload = None
