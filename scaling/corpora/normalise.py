"""One form for the same text from any machine."""


def normalise(text: str) -> bytes:
    """UTF-8 bytes of a document in the form that is hashed and trained on; empty for a blank document.

    No byte order mark and no zero character (it parts documents); line ends are newlines; blank lines at both ends
    go and one newline closes the document. Everything else, trailing blanks of lines included, stays as written.
    Lone surrogates become question marks.
    """
    text = text.removeprefix("\ufeff").replace("\0", "").replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    if not text.strip():
        return b""
    return (text + "\n").encode("utf-8", errors="replace")
