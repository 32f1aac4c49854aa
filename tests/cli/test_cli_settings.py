"""cli.toml: created, read strictly, changed without losing what is not ours."""

import stat
from dataclasses import replace

import pytest

from spacetimedb_cli.config import servers
from spacetimedb_cli.config.file import Settings
from spacetimedb_cli.config.values import ServerConfig, Values, split_url
from spacetimedb_cli.errors import UserError
from spacetimedb_cli.terminal import Terminal

DEFAULT = """\
default_server = "maincloud"

[[server_configs]]
nickname = "maincloud"
host = "maincloud.spacetimedb.com"
protocol = "https"

[[server_configs]]
nickname = "local"
host = "127.0.0.1:3000"
protocol = "http"
"""
LOCAL = ServerConfig("127.0.0.1:3000", "http", "local")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "config" / "cli.toml"


def load(path):
    return Settings.load(path, Terminal())


def written(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return load(path)


def test_created_on_first_use(path, capsys):
    load(path)
    assert path.read_text() == DEFAULT
    assert capsys.readouterr() == ("", f"Saving config to {path}.\n")


def test_only_the_owner_may_read_it(path):
    load(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_reading_does_not_write(path):
    load(path)
    before = path.stat().st_mtime_ns
    load(path)
    assert path.stat().st_mtime_ns == before


def test_comments_order_and_unknown_keys_stay(path):
    text = '# mine\ncolour = "blue"\n' + DEFAULT.replace('"local"', '"local" # at home\nsize = 3')
    settings = written(path, text)
    settings.save(replace(settings.values, listen_addr="127.0.0.1:4000"))
    expected = text.replace('"maincloud"\n', '"maincloud"\nlisten_addr = "127.0.0.1:4000"\n', 1)
    assert [line for line in path.read_text().splitlines() if line] == [
        line for line in expected.splitlines() if line
    ]


def test_a_server_keeps_its_table(path):
    settings = written(path, DEFAULT.replace('"local"', '"local" # at home'))
    settings.save(settings.values.with_server(LOCAL, replace(LOCAL, ecdsa_public_key="KEY")))
    assert 'nickname = "local" # at home' in path.read_text()
    assert load(path).values.find_server("local").ecdsa_public_key == "KEY"


def test_a_renamed_server_goes_to_the_end_with_its_comments(path):
    text = DEFAULT.replace('protocol = "https"', 'protocol = "https" # far away')
    settings = written(path, text)
    cloud = settings.values.find_server("maincloud")
    settings.save(settings.values.with_server(cloud, replace(cloud, nickname="cloud")))
    assert [server.nickname for server in load(path).values.servers] == ["local", "cloud"]
    assert "# far away" in path.read_text()


def test_without_servers_the_key_goes(path):
    settings = written(path, DEFAULT)
    settings.save(replace(settings.values, servers=(), default_server=None))
    assert path.read_text().strip() == ""


def test_a_token_that_is_taken_back_leaves_no_trace(path):
    settings = written(path, DEFAULT)
    settings.save(replace(settings.values, spacetimedb_token="secret"))
    assert load(path).values.spacetimedb_token == "secret"
    settings.save(replace(settings.values, spacetimedb_token=None))
    assert "secret" not in path.read_text()


def test_a_file_that_cannot_be_written_is_no_error(path, capsys):
    settings = load(path)
    path.unlink()
    path.mkdir()
    settings.save(replace(settings.values, listen_addr="x"))
    assert "Could not save config file: " in capsys.readouterr().err
    assert settings.values.listen_addr == "x"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("default_server = ", "config file {path} is invalid"),
        (
            "default_server = 3",
            "Config error: The option `default_server` is not a `string`, found: `integer: 3`",
        ),
        (
            'server_configs = "x"',
            "Config error: The option `server_configs` is not a `table array`, found: `string: x`",
        ),
        ('[[server_configs]]\nhost = "x"', "Config error: The option `protocol` not found"),
        ('[[server_configs]]\nprotocol = "http"', "Config error: The option `host` not found"),
    ],
)
def test_files_that_are_wrong(path, text, error):
    with pytest.raises(UserError) as raised:
        written(path, text)
    assert str(raised.value) == error.format(path=path)


def test_servers_go_by_nickname_or_host():
    values = Values(default_server="127.0.0.1:3000", servers=(LOCAL,))
    assert values.find_server("local") == values.find_server("127.0.0.1:3000") == LOCAL
    assert values.find_default_server() == LOCAL


@pytest.mark.parametrize(
    ("server", "url"),
    [
        (None, "http://127.0.0.1:3000"),
        ("local", "http://127.0.0.1:3000"),
        ("https://elsewhere.example:8443/", "https://elsewhere.example:8443"),
    ],
)
def test_what_the_server_option_means(server, url):
    assert Values(default_server="local", servers=(LOCAL,)).server_url(server) == url


def test_a_default_that_leads_nowhere():
    with pytest.raises(
        UserError, match=r"^Default server does not refer to a saved server configuration: x$"
    ):
        Values(default_server="x").server_url(None)


@pytest.mark.parametrize("url", ["127.0.0.1:8", "http://", ""])
def test_urls_that_are_none(url):
    with pytest.raises(UserError, match=f"^Invalid url: {url}$"):
        split_url(url)


def test_other_protocols_are_refused():
    with pytest.raises(UserError, match=r"^Invalid protocol: ftp$"):
        split_url("ftp://x")


@pytest.mark.parametrize(
    ("new", "error"),
    [
        (ServerConfig("x", "http", "local"), "Server nickname local already in use: http://127.0.0.1:3000"),
        (ServerConfig("127.0.0.1:3000", "https", "x"), "Server already configured for host: 127.0.0.1:3000"),
        (
            ServerConfig("local", "http", "x"),
            "Server host name is ambiguous with existing server nickname: local",
        ),
    ],
)
def test_names_and_hosts_are_taken_once(new, error):
    with pytest.raises(UserError) as raised:
        servers.add(Values(servers=(LOCAL,)), new, default=False)
    assert str(raised.value) == error


def test_renaming_the_default_keeps_it_the_default():
    values = Values(default_server="local", servers=(LOCAL,))
    old, new = servers.edit(values, "local", "home", None)
    assert servers.put(values, old, new).find_default_server() == new


def test_a_new_address_forgets_the_fingerprint():
    values = Values(servers=(replace(LOCAL, ecdsa_public_key="KEY"),))
    _, new = servers.edit(values, "local", None, "https://x")
    assert new == ServerConfig("x", "https", "local", None)
