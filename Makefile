PYTHON ?= python3
DEVENV = $(PYTHON) -m devenv

.PHONY: help env test

help:
	@$(DEVENV) help

env:
	@$(DEVENV) env

test:
	@$(DEVENV) test $(TEST_ARGS)

lint:
	@$(DEVENV) lint
