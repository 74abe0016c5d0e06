"""Bytes from a server on this machine: what arrives whole is kept, the rest is refused and leaves nothing."""

import hashlib
import http.server
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from lib import dependencies, files, sources
from lib.errors import SourceError

ROOT = Path(__file__).resolve().parents[2]


class Server:
    """A web server on 127.0.0.1 that answers as told and counts what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, list] = {}
        self.asked: list[str] = []
        self.hold = threading.Event()  # an answer ends when it is set
        self.hold.set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                queue = outer.answers.get(self.path, [(404, b"not here", None)])
                status, body, length = queue.pop(0) if len(queue) > 1 else queue[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)
                outer.hold.wait()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def serve(self, path: str, *answers: tuple) -> str:
        """Answer `path` with these (status, body, announced length), in turn; the last one for ever."""
        self.answers[path] = list(answers)
        return self.url + path

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("DATA_MIRROR", raising=False)
    monkeypatch.setattr(sources, "ATTEMPTS", 3)
    monkeypatch.setattr(sources, "BACKOFF", 0.01)
    monkeypatch.setattr("pooch.core.time.sleep", lambda _: None)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    found = Server()
    yield found
    found.close()


@pytest.fixture
def table(tmp_path: Path) -> bytes:
    path = tmp_path / "made.parquet"
    pd.DataFrame({"x": range(1000)}).to_parquet(path)
    return path.read_bytes()


def kept(cache: Path) -> list[str]:
    """What a cache holds besides its locks."""
    return sorted(path.name for path in cache.rglob("*") if path.is_file() and path.name != "lock")


def test_a_file_arrives_whole_with_its_size_rows_and_digest(server, table, tmp_path):
    url = server.serve("/trips/x.parquet", (200, table, None))
    found = sources.fetch(url, sources.parquet, tmp_path / "cache")
    assert found.path.read_bytes() == table
    assert (found.name, found.bytes, found.rows) == ("x.parquet", len(table), 1000)
    assert found.sha256 == hashlib.sha256(table).hexdigest()
    assert set(found.record()) == {"name", "url", "bytes", "sha256", "rows"}


def test_a_file_is_never_fetched_twice(server, table, tmp_path):
    url = server.serve("/x.parquet", (200, table, None))
    first, second = (sources.fetch(url, sources.parquet, tmp_path) for _ in range(2))
    assert first == second
    assert len(server.asked) == 1


def test_processes_that_want_the_same_file_at_once_fetch_it_once(server, table, tmp_path):
    url = server.serve("/x.parquet", (200, table, None))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: sources.fetch(url, sources.parquet, tmp_path), range(4)))
    assert len(set(found)) == 1
    assert len(server.asked) == 1


FETCHES = """
import sys
from pathlib import Path
from lib import sources
sources.fetch(sys.argv[1], cache=Path(sys.argv[2]))
"""


def test_what_a_killed_download_left_is_known_as_such(server, tmp_path):
    url = server.serve("/x.parquet", (200, bytes(2 * sources.PIECE), 3 * sources.PIECE))
    server.hold = threading.Event()
    words = [sys.executable, "-c", FETCHES, url, str(tmp_path / "cache")]
    until = time.monotonic() + 30
    with subprocess.Popen(words, cwd=ROOT) as process:
        while not any(path.is_file() and path.stat().st_size for path in (tmp_path / "cache").rglob("*")):
            assert time.monotonic() < until
            time.sleep(0.05)
        process.kill()
    server.hold.set()
    (folder,) = (tmp_path / "cache").iterdir()
    assert len(list(folder.iterdir())) == 2
    files.sweep(folder)
    assert [path.name for path in folder.iterdir()] == ["lock"]


def test_two_urls_that_end_alike_do_not_share_a_cached_file(server, tmp_path):
    one, two = (
        server.serve("/a/x.csv", (200, b"x\n1\n", None)),
        server.serve("/b/x.csv", (200, b"x\n2\n", None)),
    )
    assert sources.fetch(one, cache=tmp_path).sha256 != sources.fetch(two, cache=tmp_path).sha256


def test_a_cached_file_that_was_damaged_since_is_fetched_again(server, table, tmp_path):
    url = server.serve("/x.parquet", (200, table, None))
    sources.fetch(url, sources.parquet, tmp_path).path.write_bytes(table[:100])
    assert sources.fetch(url, sources.parquet, tmp_path).path.read_bytes() == table


def test_a_passing_failure_is_tried_again(server, table, tmp_path):
    url = server.serve("/x.parquet", (503, b"busy", None), (200, table[:50], len(table)), (200, table, None))
    assert sources.fetch(url, sources.parquet, tmp_path).rows == 1000
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            (404, b"no such month", None),
            r"x.parquet is not published: .*/x.parquet answered 404.*DATA_MIRROR",
        ),
        ((403, b"<Error>AccessDenied</Error>", None), r"not published.*answered 403"),
        ((401, b"who are you", None), r"answered 401"),
        ((500, b"broken", None), r"could not be read in 3 attempts \(it answered 500\)"),
        ((200, b"PAR1 and then nothing", 5000), r"could not be read in 3 attempts.*Check the network"),
        ((200, b"<html>Sign in</html>", None), r"not a whole Parquet file.*<html>.*Check the address"),
        ((200, b"", None), r"not a whole Parquet file"),
    ],
)
def test_what_does_not_arrive_as_it_should_is_named_and_leaves_nothing(server, tmp_path, answer, says):
    url = server.serve("/x.parquet", answer)
    with pytest.raises(SourceError, match=f"(?s){says}"):
        sources.fetch(url, sources.parquet, tmp_path)
    assert kept(tmp_path) == []


def test_without_network_and_mirror_the_error_names_both(tmp_path, monkeypatch, server):
    server.close()
    with pytest.raises(
        SourceError, match=r"could not be read.*DATA_MIRROR names no folder.*set DATA_MIRROR="
    ):
        sources.fetch(f"{server.url}/x.parquet", cache=tmp_path)
    monkeypatch.setenv("DATA_MIRROR", str(tmp_path))
    with pytest.raises(SourceError, match=r"the mirror folder .* has no such file either"):
        sources.fetch(f"{server.url}/x.parquet", cache=tmp_path)


def test_the_mirror_goes_first_by_the_last_part_of_the_url(server, table, tmp_path, monkeypatch):
    (tmp_path / "genres.parquet").write_bytes(table)
    monkeypatch.setenv("DATA_MIRROR", str(tmp_path))
    found = sources.fetch(f"{server.url}/blob/genres.parquet?raw=true", sources.parquet, tmp_path / "cache")
    assert (found.rows, server.asked) == (1000, [])
    assert found.url.endswith("?raw=true")


def test_a_truncated_file_in_the_mirror_is_refused_with_its_place(table, tmp_path, monkeypatch):
    (tmp_path / "x.parquet").write_bytes(table[:-20])
    monkeypatch.setenv("DATA_MIRROR", str(tmp_path))
    with pytest.raises(SourceError, match=r"not a whole Parquet file.*Replace it in the mirror folder"):
        sources.fetch("https://nowhere.invalid/x.parquet", sources.parquet, tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_said(server, table, tmp_path):
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(SourceError, match=r"cannot be kept in the cache.*WORKBOOK_OUTPUTS"):
        sources.fetch(server.serve("/x.parquet", (200, table, None)), cache=tmp_path / "cache")


def test_a_local_file_that_is_gone_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"There is no file .*gone\.csv"):
        sources.local(tmp_path / "gone.csv")


@pytest.mark.parametrize(
    ("content", "rows"), [("a,b\n1,2\n3,4\n", 2), ('a\n"two\nlines"\n', 1), ("a,b\n", 0), ("naïve\n1\n\n", 1)]
)
def test_rows_of_a_text_table_are_counted_below_its_header(tmp_path, content, rows):
    path = tmp_path / "x.csv"
    path.write_text(content, encoding="utf-8")
    assert sources.text_table(path) == rows


@pytest.mark.parametrize("content", [b"", b"<!doctype html>", b"PAR1....", b"a,b\n\0\0"])
def test_what_is_no_text_table_is_refused(tmp_path, content):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"x\.csv, at .*, is not a CSV file .*Name another file"):
        sources.local(path, sources.text_table)


@pytest.mark.parametrize(
    ("url", "name"),
    [("https://a.b/c/d.parquet?raw=true", "d.parquet"), ("https://a.b/my%20file.csv#top", "my file.csv")],
)
def test_a_files_name_is_the_last_part_of_its_url(url, name):
    assert sources.file_name(url) == name


def test_a_url_without_a_name_is_refused():
    with pytest.raises(SourceError, match="does not end in the name of a file"):
        sources.file_name("https://a.b/")


def test_the_same_bytes_in_another_folder_are_the_same_source(table, tmp_path):
    records = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.parquet").write_bytes(table)
        records.append(sources.local(tmp_path / name / "x.parquet", sources.parquet).record())
    assert records[0] == records[1]
    assert records[0]["url"] == "x.parquet"


def test_a_server_that_asks_for_an_hour_is_asked_again_at_once(server, table, tmp_path, monkeypatch):
    waits = []
    monkeypatch.setattr("time.sleep", waits.append)
    header = "x\r\nRetry-After: 3600"
    monkeypatch.setattr(http.server.BaseHTTPRequestHandler, "version_string", lambda _: header)
    url = server.serve("/x.parquet", *[(503, b"busy", None)] * 2, (200, table, None))
    assert sources.fetch(url, sources.parquet, tmp_path).rows == 1000
    assert waits
    assert max(waits) < 1


def test_what_was_fetched_is_noted_as_what_the_step_depends_on(server, table, tmp_path, monkeypatch):
    monkeypatch.setattr(dependencies, "_TAKEN", {})
    mine, mirror = tmp_path / "mine.parquet", tmp_path / "mirror"
    mine.write_bytes(table)
    (mirror / "mirrored.parquet").parent.mkdir()
    (mirror / "mirrored.parquet").write_bytes(table)
    sources.local(mine)
    url = server.serve("/trips.parquet", (200, table, None))
    sources.fetch(url, sources.parquet, tmp_path / "cache")
    monkeypatch.setenv("DATA_MIRROR", str(mirror))
    sources.fetch("http://localhost/mirrored.parquet")
    noted = [(one["kind"], one["name"]) for one in dependencies.taken()]
    assert noted == [("file", str(mine)), ("address", url), ("mirror", str(mirror / "mirrored.parquet"))]
    assert {one["digest"] for one in dependencies.taken()} == {files.digest(mine)}
    assert dependencies.taken()[0]["stamp"] == files.stamp(mine)


def test_a_file_named_from_the_project_s_folder_is_asked_for_in_the_project_that_has_the_record(
    tmp_path, monkeypatch
):
    """A project that was copied reads the copy of the file, and sees what becomes of that."""
    monkeypatch.setattr(dependencies, "_TAKEN", {})
    for name in ("project", "copy"):
        (tmp_path / name / "tables").mkdir(parents=True)
        (tmp_path / name / "tables" / "mine.csv").write_text("x\n1\n")
    whole = str(tmp_path / "project" / "tables" / "mine.csv")
    for named in ("tables/mine.csv", whole):
        monkeypatch.setattr(sources.paths, "ROOT", tmp_path / "project")
        sources.local(named)
    monkeypatch.setattr(sources.paths, "ROOT", tmp_path / "copy")

    def told():
        return [dependencies.changed(one, tmp_path / "outputs") for one in dependencies.taken()]

    assert told() == ["", ""]
    (tmp_path / "copy" / "tables" / "mine.csv").write_text("x\n2\n3\n")
    assert told() == ["tables/mine.csv changed", ""]
    (tmp_path / "copy" / "tables" / "mine.csv").unlink()
    assert told() == ["tables/mine.csv is gone", ""]
    Path(whole).write_text("x\n4\n5\n")
    assert told() == ["tables/mine.csv is gone", f"{whole} changed"]


def test_a_file_and_a_mirror_below_a_home_that_nobody_knows_are_not_there(tmp_path, monkeypatch):
    with pytest.raises(SourceError, match=r"There is no file .*~nobody-of-that-name/x\.csv"):
        sources.local("~nobody-of-that-name/x.csv")
    monkeypatch.setenv("DATA_MIRROR", "~nobody-of-that-name/files")
    assert not sources.paths.mirror().exists()


def test_a_relative_mirror_counts_from_the_projects_folder_wherever_a_notebook_runs(
    table, tmp_path, monkeypatch
):
    (tmp_path / "project" / "notebooks").mkdir(parents=True)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "x.parquet").write_bytes(table)
    monkeypatch.setattr(sources.paths, "ROOT", tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project" / "notebooks")
    monkeypatch.setenv("DATA_MIRROR", "../shared")
    assert sources.fetch("http://localhost/x.parquet").rows is None
