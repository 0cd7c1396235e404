# syntax=docker/dockerfile:1
# One image for every role: `bottombox api`, `consume`, `work` or `run`.
# Pin the base by digest in your own registry; the tag here says which Python it is made for.
FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv /opt/bottombox
COPY requirements/image.lock ./
RUN /opt/bottombox/bin/pip install --require-hashes --only-binary :all: --requirement image.lock
COPY pyproject.toml README.md ./
COPY alerts ./alerts
COPY consumers ./consumers
COPY app ./app
COPY migrations ./migrations
RUN /opt/bottombox/bin/pip install --no-deps .

FROM python:3.12-slim-bookworm
LABEL org.opencontainers.image.title="bottombox" \
      org.opencontainers.image.description="Turns every 1-2 survey answer into a callback while it still matters" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin bottombox
COPY --from=build /opt/bottombox /opt/bottombox
ENV PATH=/opt/bottombox/bin:$PATH PYTHONUNBUFFERED=1 BOTTOMBOX_HTTP_HOST=0.0.0.0 BOTTOMBOX_LOG_FORMAT=json
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9464/livez', timeout=2)"]
ENTRYPOINT ["bottombox"]
CMD ["run"]
