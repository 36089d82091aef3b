# TLDesk. `make run` sets everything up and does the main job, `make test` sets up the same and runs every check.
#
# Needed beforehand: make, git, Python 3.11 or newer, pip. Everything else comes from here: uv into .tools/, the packages of
# requirements.lock (checked against their hashes) into .venv/, and on Debian and its kin the system's libraries through apt,
# where that is allowed without asking for a password. Where it is not, the line to run is printed.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:
.PHONY: run test setup system system-test system-bundle format lint types contracts tests durability fuzz bundle leaks-bundle keyrings bench lock clean help broken

PYTHON ?= python3
UV := .tools/bin/uv
BIN := .venv/bin
STAMP := .venv/.set-up-in
FUZZ := .fuzz
FUZZ_SECONDS ?= 60
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1

# What Qt loads at run time, offscreen and in a window of X11; and what llama.cpp does.
RUN_PACKAGES := libgomp1 libgl1 libegl1 libx11-6 libdbus-1-3 libfontconfig1 libfreetype6 libglib2.0-0 libxkbcommon0 libxkbcommon-x11-0 \
  libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libwayland-cursor0 \
  fonts-dejavu-core
# What the journeys need besides: a display with a window manager, a hand, a clipboard, a camera, a keyring; and what the tests of durability kill with.
JOURNEY_PACKAGES := strace openssl xvfb openbox xdotool xclip imagemagick gnome-keyring dbus dbus-x11 libsecret-tools
# What PyInstaller needs of the system; Debian keeps Python's shared library in a package of its own.
BUNDLE_PACKAGES := binutils
PYTHON_LIBRARY = $(shell $(PYTHON) -c 'import sys; print("libpython%d.%d" % sys.version_info[:2] if sys.base_prefix == "/usr" else "")')

# A moved folder or a Python that has gone leaves a .venv that looks right and does not work: then set up anew.
BROKEN := $(shell [ "$$(cat $(STAMP) 2>/dev/null)" = "$(CURDIR)" ] && $(BIN)/python -c '' 2>/dev/null || echo broken)

run: system setup  ## set everything up and start TLDesk (without a display: do the main job in the terminal)
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname -s)" = Darwin ]; then \
	  echo "Starting TLDesk."; \
	  $(BIN)/tldesk || { status=$$?; $(call say_what_to_install,$(RUN_PACKAGES)); exit $$status; }; \
	else \
	  echo "There is no display here, so TLDesk does its job in the terminal."; \
	  $(BIN)/tldesk try; \
	fi

test: system-test setup format lint types contracts tests  ## set everything up and run every check

setup: $(STAMP)  ## make .venv from requirements.lock

$(STAMP): requirements.lock pyproject.toml $(BROKEN) | $(UV)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "TLDesk needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Run: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up .venv"
	@rm -f $@
	@if [ "$(BROKEN)" ]; then rm -rf .venv; fi
	@[ -x $(BIN)/python ] || $(UV) venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@printf '%s\n' "$(CURDIR)" > $@

broken:

$(UV):
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed, and '$(PYTHON)' is not on the PATH." >&2; exit 1; }
	@echo "Fetching uv into .tools"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-warn-script-location --root-user-action=ignore --upgrade --target .tools 'uv>=0.9,<1'

system:
	@$(call install,$(RUN_PACKAGES)); $(call say_what_to_install,$(RUN_PACKAGES))

system-test:
	@$(call install,$(RUN_PACKAGES) $(JOURNEY_PACKAGES)); $(call say_what_to_install,$(RUN_PACKAGES) $(JOURNEY_PACKAGES)); \
	[ -z "$$missing" ]

system-bundle:
	@$(call install,$(RUN_PACKAGES) $(BUNDLE_PACKAGES) $(PYTHON_LIBRARY)); \
	$(call say_what_to_install,$(RUN_PACKAGES) $(BUNDLE_PACKAGES) $(PYTHON_LIBRARY)); [ -z "$$missing" ]

format: setup  ## check the formatting (mend it: .venv/bin/ruff format)
	$(BIN)/ruff format --check

lint: setup  ## look for mistakes
	$(BIN)/ruff check

types: setup  ## check the types
	$(BIN)/mypy

contracts: setup  ## check which part imports which
	$(BIN)/lint-imports --no-logo

tests: setup  ## run the tests, journeys included (the machine needs what `make test` installs)
	$(BIN)/pytest

# atheris is installed here and not with the rest: 35 MB that only this needs, with wheels for Linux alone. It starts from what earlier runs found.
fuzz: setup  ## look for files that break the import, for a minute (FUZZ_SECONDS=60)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(UV) pip install --quiet --python $(BIN)/python 'atheris>=3,<4' || \
	  { echo "atheris is not to be had for this system and Python; on Linux with Python 3.11 to 3.13 it is." >&2; exit 1; }
	@mkdir -p $(FUZZ)/found $(FUZZ)/crashes
	@$(BIN)/python tests/fuzz/make_corpus.py $(FUZZ)/seeds
	$(BIN)/python tests/fuzz/fuzz_reading.py -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=500 -max_len=16384 -print_final_stats=1 \
	  -artifact_prefix=$(FUZZ)/crashes/ $(FUZZ)/found $(FUZZ)/seeds || \
	  { echo "What broke it was saved:" >&2; ls -t $(FUZZ)/crashes | sed 's|^|  $(FUZZ)/crashes/|' >&2; exit 1; }

bundle: system-bundle setup  ## build dist/tldesk, the program that needs no Python, and let it check itself
	$(BIN)/pyinstaller --noconfirm --log-level WARN build.spec
	@du -sh dist/tldesk
	dist/tldesk/tldesk --self-check

durability: system-test setup  ## kill imports at 300 points, let the disk fail at 50, and see that no ticket is lost (long; JSON=1: as JSON)
	@nice $(BIN)/python -m tests.durability $(if $(JSON),--json)

leaks-bundle: system-test bundle  ## have the bundle meet every fault with a key that must be found nowhere afterwards (long)
	@$(BIN)/python -m tests.leaks dist/tldesk/tldesk

keyrings: system-test setup  ## lock, freeze, damage and kill the keyring under a window that must not be held up for 100 ms
	TLDESK_LONGEST_STALL_MS=100 $(BIN)/pytest -q tests/journeys/test_keyring_states.py

bench: setup  ## measure; benchmarks/README.md says what
	@set -e; for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

lock: $(UV)  ## write requirements.lock anew from pyproject.toml (UPGRADE=1: newest versions)
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	  $(if $(UPGRADE),--upgrade) --all-extras --output-file requirements.lock pyproject.toml

clean:  ## remove what was made here: .venv, .tools, build, dist, caches
	rm -rf .venv .tools .fuzz build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find desktop tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## show this
	@grep -hE '^[a-z-]+:.*  ## ' Makefile | sed -E 's/:.*  ## /\t/' | while IFS="$$(printf '\t')" read -r name text; do \
	  printf '  make %-13s %s\n' "$$name" "$$text"; done

# --- system packages -------------------------------------------------------------------------------------------------------
# Shell text, for use inside one recipe line. Elsewhere than on Debian and its kin nothing is missing as far as is known here.

# Sets $missing to those of the packages $(1) that are neither installed nor provided by an installed one (libglib2.0-0t64
# provides libglib2.0-0).
define look_for
missing=""; if command -v dpkg-query >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then \
  missing="$$(dpkg-query -W -f='$${db:Status-Status} $${Package} $${Provides}\n' | awk -v wanted="$(strip $(1))" ' \
    $$1 == "installed" { gsub(/\([^)]*\)|,/, " "); for (i = 2; i <= NF; i++) have[$$i] = 1 } \
    END { n = split(wanted, names, " "); for (i = 1; i <= n; i++) if (!(names[i] in have)) printf " %s", names[i] }')"; \
fi
endef

# Installs what is missing of $(1), as root or with a sudo that asks for no password; says nothing where neither is to be had.
define install
$(call look_for,$(1)); \
if [ "$$missing" ]; then \
  as_root=none; \
  if [ "$$(id -u)" = 0 ]; then as_root="env"; \
  elif sudo -n true >/dev/null 2>&1; then as_root="sudo -n env"; fi; \
  if [ "$$as_root" != none ]; then \
    echo "Installing system packages:$$missing"; \
    { $$as_root apt-get -qq update && \
      $$as_root DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends $$missing; } </dev/null >/dev/null || \
      echo "apt-get did not succeed; what it said stands above." >&2; \
  fi; \
fi
endef

define say_what_to_install
$(call look_for,$(1)); \
if [ "$$missing" ]; then \
  echo "System packages are missing and could not be installed from here. Run this line, then the same command again:" >&2; \
  echo "  sudo apt-get update && sudo apt-get install --yes --no-install-recommends$$missing" >&2; \
fi
endef
