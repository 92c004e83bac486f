# Thin: every target is a command of `python3 -m devenv`, which builds what is missing first.
PYTHON ?= python3
DEVENV = $(PYTHON) -m devenv

.PHONY: help env demo test lint bench screenshots serve shell clean

help:
	@$(DEVENV) help

env:
	@$(DEVENV) env

demo:
	@$(DEVENV) demo $(DEMO_ARGS)

test:
	@$(DEVENV) test $(TEST_ARGS)

lint:
	@$(DEVENV) lint

bench:
	@$(DEVENV) bench $(BENCH)

screenshots:
	@$(DEVENV) screenshots $(SCREENSHOTS_ARGS)

serve:
	@$(DEVENV) serve

shell:
	@$(DEVENV) shell

clean:
	@$(DEVENV) clean
