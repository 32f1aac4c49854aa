"""How the proxy says that it cannot go on."""


class Failure(Exception):
    """Ends the program with `exit_code`: a sentence with what to do next, and the causes behind it."""

    def __init__(self, text: str, *causes: str, exit_code: int = 1) -> None:
        super().__init__(text)
        self.causes = causes
        self.exit_code = exit_code

    def report(self) -> str:
        """What is shown on standard error: `Error: …`, then the causes, outermost first."""
        if self.exit_code == 2:
            return f"error: {self}\n\nFor more information, try '--help'."
        if not self.causes:
            return f"Error: {self}"
        if len(self.causes) == 1:
            return f"Error: {self}\n\nCaused by:\n    {self.causes[0]}"
        lines = [f"    {number}: {cause}" for number, cause in enumerate(self.causes)]
        return "\n".join([f"Error: {self}", "", "Caused by:", *lines])


def reason(error: OSError) -> str:
    """The system's own words for an error, with its number."""
    return f"{error.strerror} (os error {error.errno})" if error.strerror else str(error)
