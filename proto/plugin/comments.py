"""What stands above a declaration in a proto."""


def comments_in(file) -> dict[tuple[int, ...], str]:
    """A file's comments, without markers, by the paths that descriptor.proto gives to declarations."""
    return {tuple(place.path): _clean(place.leading_comments) for place in file.source_code_info.location}


def _clean(comment: str) -> str:
    return "\n".join(line.strip() for line in comment.strip().splitlines())
