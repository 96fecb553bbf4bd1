# The commands of the project. Each installs what it needs and this machine lacks; `scripts/` holds what they do.
.PHONY: help run test test-server check acceptance bench dev fmt openapi schema clean-run

help:
	@echo 'make run        the platform with demo data and a simulated fleet on http://127.0.0.1:8080'
	@echo 'make test       every test, on a database cluster of its own and in a real browser'
	@echo 'make check      format, lints, documentation, dependencies, generated files, the size of the console'
	@echo 'make acceptance  known vulnerabilities of the dependencies; foreign tools, races and faults against the running platform'
	@echo 'make bench      the benchmarks, written to docs/benchmarks.md'
	@echo 'make dev        server and console, rebuilt on each change'
	@echo 'make fmt        formats the code'
	@echo 'make openapi    writes openapi/openapi.json'
	@echo 'make schema     writes backend/schema from the migrations'
	@echo 'make clean-run  removes var/: the database of `make run` and its password'

run:
	@scripts/run

test:
	@scripts/test

test-server:
	@scripts/test server

check:
	@scripts/check

acceptance:
	@scripts/acceptance

bench:
	@scripts/bench

dev:
	@scripts/dev

fmt:
	@cargo fmt --all

openapi:
	@scripts/openapi

schema:
	@scripts/schema

clean-run:
	@rm -rf var
