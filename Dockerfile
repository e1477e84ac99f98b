# syntax=docker/dockerfile:1
# Production image: docker build -t leukopenia-cds .
#   docker run -p 8080:8080 -e CDS_CLIENTS=/etc/cds-service/clients.yaml -v ./site:/etc/cds-service:ro -v cds-data:/var/lib/cds-service leukopenia-cds
# It runs with --read-only: only the data volume and the container's own /dev/shm are written to.

FROM python:3.13-slim-bookworm AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src

# The environment that is copied to the final stage has no pip of its own: the build stage's pip installs into it.
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m venv --without-pip /opt/cds-service \
    && pip --python /opt/cds-service/bin/python install --require-hashes --only-binary=:all: -r requirements/runtime.txt \
    && pip install --require-hashes --only-binary=:all: -r requirements/build.txt

COPY pyproject.toml README.md LICENSE NOTICE ./
COPY cards/ cards/
COPY cds_service/ cds_service/
RUN pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
    && pip --python /opt/cds-service/bin/python install --no-deps --no-index wheels/*.whl \
    && mkdir /data


FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="leukopenia-cds" \
      org.opencontainers.image.description="CDS Hooks service for leukopenia and neutropenia on FHIR R4" \
      org.opencontainers.image.licenses="Apache-2.0"

RUN groupadd --system --gid 10001 cds \
    && useradd --system --uid 10001 --gid cds --home-dir /var/lib/cds-service --shell /usr/sbin/nologin cds
COPY --from=build /opt/cds-service /opt/cds-service
COPY --from=build --chown=10001:10001 /data /var/lib/cds-service

# TMPDIR: gunicorn's heartbeat and multiprocess metrics need a memory-backed folder, which every container has.
ENV PATH="/opt/cds-service/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TMPDIR=/dev/shm \
    CDS_DATA_DIR=/var/lib/cds-service
WORKDIR /var/lib/cds-service
VOLUME ["/var/lib/cds-service"]
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM

# Ready means: rules compiled, database reachable. urlopen fails on every status but a good one.
HEALTHCHECK --interval=15s --timeout=4s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:8080/readyz', timeout=3)"]

CMD ["cds-service", "serve", "--host", "0.0.0.0"]
