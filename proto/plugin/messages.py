"""The messages and enumerations of a code generator request, as plain values that the emitters read."""

from dataclasses import dataclass

from comments import comments_in


@dataclass(frozen=True)
class Field:
    name: str  # "page_size"
    type: str  # as in the proto: "int32", "twind.v1.Twin"
    is_repeated: bool
    oneof: str  # the name of the oneof that it is part of, or empty
    comment: str


@dataclass(frozen=True)
class Message:
    full_name: str  # "twind.v1.Twin"
    fields: tuple[Field, ...]
    comment: str


@dataclass(frozen=True)
class Enum:
    full_name: str  # "twind.v1.Durability"
    values: tuple[tuple[str, int, str], ...]  # name, number, comment
    comment: str


def messages_of(request) -> list[Message]:
    """Those in the files asked for, in order."""
    return [
        Message(
            f"{file.package}.{message.name}",
            tuple(_field(message, field, comments.get((4, m, 2, f), "")) for f, field in enumerate(message.field)),
            comments.get((4, m), ""),
        )
        for file, comments in _files(request)
        for m, message in enumerate(file.message_type)
    ]


def enums_of(request) -> list[Enum]:
    """Those in the files asked for and in their messages, in order."""
    return [
        Enum(
            name,
            tuple((value.name, value.number, comments.get((*path, 2, v), "")) for v, value in enumerate(enum.value)),
            comments.get(path, ""),
        )
        for file, comments in _files(request)
        for name, path, enum in _enums_in(file)
    ]


def _files(request):
    wanted = set(request.file_to_generate)
    return [(file, comments_in(file)) for file in request.proto_file if file.name in wanted]


def _enums_in(file):
    for e, enum in enumerate(file.enum_type):
        yield f"{file.package}.{enum.name}", (5, e), enum
    for m, message in enumerate(file.message_type):
        for e, enum in enumerate(message.enum_type):
            yield f"{file.package}.{message.name}.{enum.name}", (4, m, 4, e), enum


def _field(message, field, comment: str) -> Field:
    kind = field.Type.Name(field.type).removeprefix("TYPE_").lower()
    return Field(
        name=field.name,
        type=field.type_name.lstrip(".") or kind,
        is_repeated=field.label == field.LABEL_REPEATED,
        oneof=message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else "",
        comment=comment,
    )
