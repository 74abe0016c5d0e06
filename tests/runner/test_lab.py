"""JupyterLab as `make lab` opens it: in a real browser, and what its kernels do that no others do."""

import os
import re
import shutil
import socket
import subprocess
import time

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
#: A browser that asks nobody anything at its start.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FIGURE = ".jp-OutputArea-output img"
MIME = "[data-mime-type='application/vnd.jupyter.{}']"


@pytest.fixture
def lab(copied, tmp_path):
    """The address of JupyterLab in a copy of the project, as make starts it; it is stopped afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = {name: str(tmp_path / name) for name in ("HOME", "JUPYTER_RUNTIME_DIR", "WORKBOOK_OUTPUTS")}
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON", "PYTEST"))}
    command = ["make", "--no-print-directory", "lab", f"PORT={port}"]
    said = tmp_path / "said"
    with said.open("w") as out:
        server = subprocess.Popen(
            command, cwd=copied, env=environment | home, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        for _ in range(600):
            if found := re.search(rf"http://127\.0\.0\.1:{port}/\S+token=\w+", said.read_text()):
                break
            assert server.poll() is None, said.read_text()
            time.sleep(0.1)
        yield found[0]
    finally:
        server.terminate()
        server.wait(60)


@pytest.mark.slow
def test_three_pages_run_in_a_browser_without_error_or_warning_and_with_a_figure(lab):
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="requirements/browser.txt is not installed"
    )
    if CHROMIUM is None:
        pytest.skip("there is no chromium here")
    root, token = re.fullmatch(r"(http://[^/]+)/lab/tree/docs/start\.md\?(token=\w+)", lab).groups()
    with (
        playwright.sync_playwright() as started,
        started.chromium.launch(executable_path=CHROMIUM, args=QUIET) as browser,
    ):
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(lab)
        page.get_by_role("heading", name="Start here").wait_for(timeout=120_000)
        for name, draws in (("01_ingest", True), ("02_eda", True), ("03_prep", False)):
            alone = f"{root}/lab/workspaces/{name}/tree/notebooks/{name}.ipynb"
            page.goto(f"{alone}?{token}")
            prompts = page.locator(".jp-CodeCell .jp-InputPrompt")
            prompts.first.wait_for(timeout=120_000)
            while not any(
                session["path"].endswith(f"{name}.ipynb") and session["kernel"]["connections"]
                for session in page.request.get(f"{root}/api/sessions?{token}").json()
            ):
                page.wait_for_timeout(500)  # a click that comes before the page has its kernel is lost
            page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for(timeout=120_000)
            page.wait_for_timeout(2000)
            page.get_by_text("Run", exact=True).first.click()
            page.get_by_text("Run All Cells", exact=True).click()
            deadline = time.monotonic() + 300
            while not all(re.match(r"\[\d+\]", text) for text in prompts.all_inner_texts()):
                assert page.locator(MIME.format("error")).count() == 0, page.locator(
                    MIME.format("error")
                ).inner_text()
                assert time.monotonic() < deadline, prompts.all_inner_texts()
                time.sleep(0.5)
            assert page.locator(MIME.format("error")).count() == 0
            assert page.locator(MIME.format("stderr")).count() == 0
            assert (
                page.locator(FIGURE).count() > 0
                if draws
                else page.locator(".jp-OutputArea-output table").count()
            )
            if draws:
                page.locator(FIGURE).first.scroll_into_view_if_needed()
                assert page.locator(FIGURE).first.evaluate("image => image.naturalWidth") > 200
            if folder := os.environ.get("SCREENSHOTS"):
                page.screenshot(path=f"{folder}/{name}.png")


@pytest.mark.parametrize(("opened_by", "after"), [("JupyterLab", "2"), ("papermill", "1")])
def test_a_page_takes_an_edit_of_a_module_in_jupyterlab_and_nowhere_else(copied, tmp_path, opened_by, after):
    from jupyter_client.manager import KernelManager

    module = copied / "lib" / "edited.py"
    module.write_text("def said():\n    return 1\n")
    kernel = KernelManager(kernel_name="python3")
    kernel.kernel_spec.argv[0] = str(copied / ".venv" / "bin" / "python")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("JPY_")}
    session = {"JPY_SESSION_NAME": "notebooks/01_ingest.ipynb"} if opened_by == "JupyterLab" else {}
    kernel.start_kernel(cwd=str(copied / "notebooks"), env={**ours, "HOME": str(tmp_path)} | session)
    client = kernel.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)

        def run(code):
            shown = []
            reply = client.execute_interactive(
                code, timeout=60, output_hook=lambda m: shown.append(m["content"].get("text"))
            )
            assert reply["content"]["status"] == "ok", reply["content"]
            return "".join(text for text in shown if text).strip()

        run("from lib.step import page\npage.reload_edited_modules()")  # as every page's Step does
        assert run("from lib.edited import said\nprint(said())") == "1"
        module.write_text("def said():\n    return 2  # edited\n")
        later = time.time() + 5  # a file system may keep whole seconds
        os.utime(module, (later, later))
        run("pass")
        assert run("print(said())") == after
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)
