"""A headless Chromium that is signed in to Odoo; what a person clicks, by name."""

import io
import shutil
import tempfile
import time
from contextlib import contextmanager

from .console import DevenvError

# One pixel wider and Odoo moves the chatter beside its forms, which makes them narrow.
SIZE = (1399, 900)
COLOURS = 192
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--lang=en-US",
)
# A page is drawn once nothing is loaded, blocked, animated or shown as a placeholder.
QUIET = """
    return document.readyState === 'complete'
        && !document.querySelector('.o_blockUI, .o_loading_indicator, .o_skeleton')
        && !document.getAnimations().some(
            (a) => a.playState === 'running' && a.effect.getTiming().iterations !== Infinity);
"""


def programs():
    """Paths of Chromium and of its driver.

    :raises DevenvError: one of them is not installed
    """
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if not browser or not driver:
        raise DevenvError("screenshots need the packages chromium and chromium-driver")
    return browser, driver


class Browser:
    """One tab.

    :param driver: a Selenium driver
    :param url: of Odoo
    """

    def __init__(self, driver, url):
        self.driver = driver
        self.url = url

    def sign_in(self, login="admin", password="admin"):
        self.driver.get(f"{self.url}/web/login")
        self._find("input[name=login]").send_keys(login)
        self._find("input[name=password]").send_keys(password)
        self._find("form.oe_login_form button[type=submit]").click()
        self._wait(lambda: self.driver.find_elements("css selector", ".o_web_client"))

    def open(self, action, record=None):
        """Open an action by its external id, on one record if given."""
        path = f"/odoo/action-{action}" + (f"/{record}" if record else "")
        # Odoo changes the address in place; a blank page in between makes it a new visit.
        self.driver.get("about:blank")
        self.driver.get(self.url + path)
        self._find(".o_action_manager .o_view_controller, .o_action_manager .o_action")
        self.settle()

    def click(self, selector, *, text=None):
        """Click the first visible element, optionally the one with that text."""
        self._find(selector, text=text).click()
        self.settle()

    def button(self, name):
        """Press a visible button by the name of its method."""
        self.click(f"button[name='{name}']:not(.d-none), a[name='{name}']")

    def page(self, name):
        """Turn to a page of the notebook."""
        self.show_top()
        self.click(f".o_notebook_headers a[name='{name}']")

    def fill(self, field, value):
        """Type into a field; leaves it, so that Odoo takes the value."""
        widget = f".o_field_widget[name='{field}']"
        for button in self.driver.find_elements("css selector", f"{widget} button.o_input"):
            button.click()  # a date, which turns into an input
        element = self._find(f"{widget} input, {widget} textarea")
        element.clear()
        element.send_keys(value)
        self.driver.execute_script("arguments[0].blur()", element)
        self.settle()

    def wait_for(self, selector, seconds=60):
        """Wait until something is visible."""
        self._find(selector, seconds=seconds)
        self.settle()

    def settle(self, seconds=30):
        """Wait until the page is drawn and stays so."""
        deadline = time.monotonic() + seconds
        calm = 0
        while calm < 3 and time.monotonic() < deadline:
            time.sleep(0.1)
            calm = calm + 1 if self.driver.execute_script(QUIET) else 0

    def show_top(self):
        """Scroll everything back."""
        self.driver.execute_script(
            "document.querySelectorAll('*').forEach((e) => { e.scrollTop = 0; });"
        )

    def show(self, selector):
        """Scroll an element up to below the bars that stay."""
        script = "arguments[0].style.scrollMarginTop = '115px'; arguments[0].scrollIntoView();"
        self.driver.execute_script(script, self._find(selector))
        self.settle()

    def save(self, path):
        """Write what is visible, as a small PNG."""
        from PIL import Image

        self._let_go()
        image = Image.open(io.BytesIO(self.driver.get_screenshot_as_png())).convert("RGB")
        image.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)

    def _let_go(self):
        """Leave nothing focused, and no tooltip of what was clicked last."""
        self.driver.execute_script("document.activeElement && document.activeElement.blur()")
        corner = {"type": "mouseMoved", "x": SIZE[0] - 2, "y": SIZE[1] - 2}
        self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", corner)
        time.sleep(0.4)
        self.settle()

    def _find(self, selector, *, text=None, seconds=30):
        def visible():
            for element in self.driver.find_elements("css selector", selector):
                if element.is_displayed() and (text is None or text in element.text):
                    return element
            return None

        return self._wait(visible, seconds, f"{selector} {text or ''}".strip())

    def _wait(self, condition, seconds=30, what="the page"):
        from selenium.common.exceptions import StaleElementReferenceException

        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                found = condition()
            except StaleElementReferenceException:
                found = None
            if found:
                return found
            time.sleep(0.1)
        raise DevenvError(f"{what} does not show up at {self.driver.current_url}")


@contextmanager
def browser(url):
    """A signed-in :class:`Browser` with a profile of its own that is deleted afterwards."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    program, driver_program = programs()
    profile = tempfile.mkdtemp(prefix="screenshots-")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={SIZE[0]},{SIZE[1]}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, Service(driver_program))
    try:
        metrics = {"width": SIZE[0], "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        tab = Browser(driver, url)
        tab.sign_in()
        yield tab
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)
