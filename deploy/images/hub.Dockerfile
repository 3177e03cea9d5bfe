# The hub's image: `mash-hub` and nothing that could open a message.
# It is a list of what goes in, never of what stays out: adapters/ and schemas/content/ are not named here, and
# tests/structure/test_images.py reads the COPY lines, makes the copy and runs the program from it alone.
#
#     docker build -f deploy/images/hub.Dockerfile -t mash-hub .
FROM debian:12-slim AS packages
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
COPY requirements.lock /build/requirements.lock
RUN python3 -m venv /opt/mash/venv \
 && /opt/mash/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: \
    --requirement /build/requirements.lock

FROM debian:12-slim AS web
RUN apt-get update \
 && apt-get install --yes --no-install-recommends nodejs npm python3 \
 && rm -rf /var/lib/apt/lists/*
COPY deploy/web/package.json deploy/web/package-lock.json deploy/web/assets.py deploy/web/LICENCE.txt /build/
RUN npm --prefix /build ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && python3 /build/assets.py /build/node_modules /build/govuk

FROM debian:12-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/mash --create-home mash
COPY --from=packages /opt/mash/venv /opt/mash/venv
COPY broker/ /opt/mash/broker/
COPY --from=web /build/govuk /opt/mash/broker/page/static/govuk
COPY schemas/*.py /opt/mash/schemas/
COPY --chmod=0755 deploy/images/mash-hub /usr/local/bin/mash-hub
ENV PYTHONPATH=/opt/mash PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER mash
WORKDIR /var/lib/mash
ENTRYPOINT ["/usr/local/bin/mash-hub"]
CMD ["--help"]
