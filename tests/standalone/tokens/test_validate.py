"""Which tokens are accepted, and the exact words for those that are not."""

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from spacetimedb_lib.identity import Identity
from spacetimedb_standalone.tokens.claims import TokenError
from spacetimedb_standalone.tokens.issue import TokenIssuer
from spacetimedb_standalone.tokens.keys import KeyPair
from spacetimedb_standalone.tokens.oidc import IssuerKeys
from spacetimedb_standalone.tokens.validate import TokenValidator

ISSUER = "https://auth.example/"


class Foreign:
    """An issuer with an RSA and an elliptic key, and a note of what was fetched from it."""

    def __init__(self) -> None:
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.fetched: list[str] = []
        self.down = False

    async def fetch(self, url: str) -> Any:
        self.fetched.append(url)
        if self.down:
            raise OSError("no route to host")
        if url == "https://auth.example/.well-known/openid-configuration":
            return {"issuer": ISSUER, "jwks_uri": "https://auth.example/keys"}
        assert url == "https://auth.example/keys", url
        return {
            "keys": [
                self.jwk(self.rsa.public_key(), "r"),
                self.jwk(self.ec.public_key(), "e"),
                {"kty": "oct"},
            ]
        }

    @staticmethod
    def jwk(key: Any, key_id: str) -> dict[str, Any]:
        algorithm = "RS256" if isinstance(key, rsa.RSAPublicKey) else "ES256"
        written = jwt.get_algorithm_by_name(algorithm).to_jwk(key, as_dict=True)
        return {**written, "kid": key_id, "alg": algorithm, "use": "sig"}

    def token(self, key_id: str | None, **changes: Any) -> str:
        key: Any = self.ec if key_id == "e" else self.rsa
        algorithm = "ES256" if key_id == "e" else "RS256"
        claims = {"iss": ISSUER, "sub": "ann", "aud": "app", "iat": 1_700_000_000} | changes
        return jwt.encode(claims, key, algorithm, headers={"kid": key_id} if key_id else None)


@pytest.fixture(scope="module")
def foreign() -> Foreign:
    return Foreign()


@pytest.fixture
def validator(keys: KeyPair, foreign: Foreign, clock: Any) -> TokenValidator:
    foreign.fetched.clear()
    foreign.down = False
    return TokenValidator(keys, IssuerKeys(foreign.fetch, clock), clock)


def local(keys: KeyPair, **changes: Any) -> str:
    """A token signed with the server's own key; a change to `...` removes the claim."""
    claims = {
        "iss": "localhost",
        "sub": "somebody",
        "aud": ["spacetimedb"],
        "iat": 1_700_000_000,
        "exp": None,
    }
    return jwt.encode({k: v for k, v in (claims | changes).items() if v is not ...}, keys.private, "ES256")


async def refusal(validator: TokenValidator, token: str) -> str:
    with pytest.raises(TokenError) as caught:
        await validator.validate(token)
    assert token not in str(caught.value), "an error text never holds the token"
    return str(caught.value)


async def test_an_own_token_is_accepted(validator: TokenValidator, keys: KeyPair, clock: Any) -> None:
    made = TokenIssuer(keys, clock).new_identity()
    claims = await validator.validate(made.token)
    assert (claims.identity, claims.issuer, claims.expires) == (made.identity, "localhost", None)


async def test_a_foreign_token_that_we_signed_is_accepted_without_asking_its_issuer(
    validator: TokenValidator, keys: KeyPair, foreign: Foreign
) -> None:
    claims = await validator.validate(local(keys, iss=ISSUER, sub="ann"))
    assert claims.identity == Identity.from_claims(ISSUER, "ann")
    assert foreign.fetched == []


@pytest.mark.parametrize("key_id", ["r", "e", None])
async def test_an_issuers_token_is_verified_with_its_published_keys(
    validator: TokenValidator, foreign: Foreign, key_id: str | None
) -> None:
    claims = await validator.validate(foreign.token(key_id, email="ann@example.org"))
    assert claims.identity == Identity.from_claims(ISSUER, "ann")
    assert (claims.audience, claims.extra) == (("app",), {"email": "ann@example.org"})


async def test_keys_are_fetched_once_and_again_when_they_are_old(
    validator: TokenValidator, foreign: Foreign, clock: Any
) -> None:
    await validator.validate(foreign.token("r"))
    await validator.validate(foreign.token("e"))
    assert len(foreign.fetched) == 2, "one discovery and one key set"
    foreign.down = True
    clock.now += 4000
    assert await validator.validate(foreign.token("r")), "the old keys serve while new ones cannot be had"
    clock.now += 4000
    assert await refusal(validator, foreign.token("r")) == f"Error fetching public key for issuer {ISSUER}"


async def test_a_key_that_the_issuer_does_not_have(validator: TokenValidator, foreign: Foreign) -> None:
    token = foreign.token("unknown")
    assert await refusal(validator, token) == "Specified key ID not found in JWKs"


async def test_a_foreign_token_with_somebody_elses_signature(
    validator: TokenValidator, foreign: Foreign
) -> None:
    head, payload, _ = foreign.token("r").split(".")
    other = foreign.token("r", sub="bob").split(".")[2]
    assert await refusal(validator, f"{head}.{payload}.{other}") == "Invalid token: InvalidSignature"


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ("nonsense", "Invalid token: InvalidToken"),
        ("", "Invalid token: InvalidToken"),
        ("a.b", "Invalid token: InvalidToken"),
        ("a!.b.c", "Invalid token: Base64 error: "),
        ("bm8.bm8.bm8", "Invalid token: JSON error: "),
    ],
)
async def test_what_is_no_token(validator: TokenValidator, token: str, text: str) -> None:
    with pytest.raises(TokenError) as caught:
        await validator.validate(token)
    assert str(caught.value).startswith(text)


async def test_a_damaged_signature(validator: TokenValidator, keys: KeyPair) -> None:
    assert await refusal(validator, local(keys) + "AAAA") == "Invalid token: InvalidSignature"


async def test_a_local_issuer_is_never_looked_up(validator: TokenValidator, foreign: Foreign) -> None:
    forged = foreign.token("r", iss="localhost")
    assert await refusal(validator, forged) == "Invalid token: InvalidSignature"
    assert foreign.fetched == []


async def test_an_unsigned_token(validator: TokenValidator) -> None:
    segments = [{"alg": "none"}, {"iss": "localhost", "sub": "x", "iat": 1}]
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in segments]
    text = await refusal(validator, ".".join([*parts, ""]))
    assert text.startswith("Invalid token: JSON error: unknown variant `none`, expected one of `HS256`, ")


async def test_a_token_signed_with_a_shared_secret(validator: TokenValidator) -> None:
    claims = {"iss": "localhost", "sub": "x", "iat": 1}
    token = jwt.encode(claims, "a secret of thirty-two characters", "HS256")
    assert await refusal(validator, token) == "Invalid token: InvalidSignature"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"sub": ...}, "Invalid token: JSON error: missing field `sub` at line 1 column "),
        ({"iss": ...}, "Invalid token: JSON error: missing field `iss` at line 1 column "),
        ({"iat": ...}, "Invalid token: JSON error: missing field `iat` at line 1 column "),
        ({"iat": "now"}, "Invalid token: JSON error: invalid type for `iat`"),
        ({"aud": 7}, "Invalid token: JSON error: data did not match any variant"),
        ({"exp": "never"}, "Invalid token: JSON error: invalid type for `exp`"),
        ({"exp": 1_699_999_000}, "Invalid token: ExpiredSignature"),
        ({"sub": ""}, "Subject empty"),
        ({"iss": ""}, "Issuer empty"),
        ({"sub": "x" * 129}, 'Subject too long: "xxx'),
        ({"hex_identity": "c2" + "00" * 31}, "Identity mismatch: "),
    ],
)
async def test_claims_that_are_not_accepted(
    validator: TokenValidator, keys: KeyPair, changes: dict[str, Any], text: str
) -> None:
    assert (await refusal(validator, local(keys, **changes))).startswith(text)


async def test_expiry_has_a_minute_of_grace_and_holds_for_remembered_tokens(
    validator: TokenValidator, keys: KeyPair, clock: Any
) -> None:
    token = local(keys, exp=int(clock.now) - 50)
    await validator.validate(token)
    clock.now += 20
    assert await refusal(validator, token) == "Invalid token: ExpiredSignature"
