# An agency's image: `mash`. Its keys, its records and its adapter.toml are mounted, never copied.
#
#     docker build -f deploy/images/adapter.Dockerfile -t mash-adapter .
FROM debian:12-slim AS packages
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
COPY requirements.lock /build/requirements.lock
RUN python3 -m venv /opt/mash/venv \
 && /opt/mash/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: \
    --requirement /build/requirements.lock

FROM debian:12-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/mash --create-home mash
COPY --from=packages /opt/mash/venv /opt/mash/venv
COPY adapters/ /opt/mash/adapters/
COPY broker/ /opt/mash/broker/
COPY schemas/ /opt/mash/schemas/
COPY --chmod=0755 deploy/images/mash /usr/local/bin/mash
ENV PYTHONPATH=/opt/mash PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 MASH_HOME=/var/lib/mash
USER mash
WORKDIR /var/lib/mash
ENTRYPOINT ["/usr/local/bin/mash"]
CMD ["run"]
