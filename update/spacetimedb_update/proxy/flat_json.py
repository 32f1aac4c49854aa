"""The scalar members of an object in JSON, or in JSON with comments, single quotes and bare keys.

Only what stands directly in the outermost object is understood; what is nested is skipped. Project
files and the update notice need no more, and the library's own reader costs milliseconds to import.
"""

_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_ENDS_A_WORD = frozenset(" \t\r\n\ufeff,:{}[]\"'/")


def members(text: str) -> dict[str, str | int | None]:
    """Strings and integers by their keys; any other value is None. Raises `ValueError` saying where."""
    scanner = _Scanner(text)
    scanner.expect("{")
    found: dict[str, str | int | None] = {}
    while scanner.peek() != "}":
        key = scanner.string() if scanner.peek() in "\"'" else scanner.word()
        scanner.expect(":")
        found[key] = scanner.value()
        if scanner.peek() != "}":
            scanner.expect(",")
    return found


class _Scanner:
    """A place in a text; every method first skips blanks and comments."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def fail(self, what: str) -> ValueError:
        return ValueError(f"line {self.text.count(chr(10), 0, self.at) + 1}: {what}")

    def peek(self) -> str:
        """The next character that means something. Raises `ValueError` at the end of the text."""
        while self.at < len(self.text):
            if self.text[self.at] in " \t\r\n\ufeff":
                self.at += 1
            elif self.text.startswith("//", self.at):
                self._skip_past("\n", optional=True)
            elif self.text.startswith("/*", self.at):
                self._skip_past("*/")
            else:
                return self.text[self.at]
        raise self.fail("it ends too early")

    def _skip_past(self, mark: str, optional: bool = False) -> None:
        end = self.text.find(mark, self.at + len(mark) - 1)
        if end < 0 and not optional:
            raise self.fail("a comment does not end")
        self.at = len(self.text) if end < 0 else end + len(mark)

    def expect(self, character: str) -> None:
        if self.peek() != character:
            raise self.fail(f"`{character}` is missing")
        self.at += 1

    def word(self) -> str:
        """A bare key, number or literal."""
        self.peek()
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in _ENDS_A_WORD:
            self.at += 1
        if start == self.at:
            raise self.fail(f"`{self.text[self.at]}` does not belong there")
        return self.text[start : self.at]

    def string(self) -> str:
        quote = self.peek()
        self.at += 1
        parts: list[str] = []
        while self.at < len(self.text) and self.text[self.at] not in (quote, "\n"):
            if self.text[self.at] == "\\":
                parts.append(self._escape())
            else:
                parts.append(self.text[self.at])
                self.at += 1
        if not self.text.startswith(quote, self.at):
            raise self.fail("a string does not end")
        self.at += 1
        return "".join(parts)

    def _escape(self) -> str:
        letter = self.text[self.at + 1 : self.at + 2]
        digits = {"u": 4, "x": 2}.get(letter)
        self.at += 2
        if digits is None:
            return "" if letter == "\n" else _ESCAPES.get(letter, letter)
        code = self.text[self.at : self.at + digits]
        self.at += digits
        try:
            return chr(int(code, 16))
        except ValueError:
            raise self.fail(f"`\\{letter}{code}` is no character") from None

    def value(self) -> str | int | None:
        opening = self.peek()
        if opening in "\"'":
            return self.string()
        if opening in "{[":
            self._skip_nested()
            return None
        word = self.word()
        try:
            return int(word)
        except ValueError:
            return None

    def _skip_nested(self) -> None:
        depth = 0
        while True:
            character = self.peek()
            if character in "\"'":
                self.string()
                continue
            depth += (character in "{[") - (character in "}]")
            self.at += 1
            if depth == 0:
                return
