"""GTs and the numbers inside MAP as they are looked up: docs/normalisation.md."""

def gt_readings(
    digits: str,
    *,
    np: int | None = None,
    nai: int | None = None,
    es: int | None = None,
    home_country_code: str = "",
    ansi: bool = False,
) -> list[tuple[int, str]]:
    """What a called or calling GT is looked up as: (number of names.SPACES, digits), at most two.

    digits: 0-9 and a-f, as decoded. np, nai, es: numbering plan, nature of address, encoding scheme; None: the GT has
        none.
    ansi: the GT is one of T1.112.3, which has no nature of address.
    Empty: the GT is unusable. Spec: Q.713 3.4.2.3, E.164 6.
    """

def number_readings(
    digits: str, kind: int, *, nature: int = 0, plan: int = 0, home_country_code: str = ""
) -> list[tuple[int, str]]:
    """What an identity or address inside MAP or CAP is looked up as: (number of names.SPACES, digits), at most two.

    kind: number of names.NUMBER_KINDS. nature, plan: of AddressString (TS 29.002 17.7.8), 0 where none.
    """
