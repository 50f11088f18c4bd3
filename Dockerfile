# syntax=docker/dockerfile:1
# Build: docker build -t claim-edits .
# Run:   docker run --read-only -v /srv/claim-edits:/store:ro -p 50051:50051 claim-edits

FROM python:3.12-slim-bookworm AS build
# durable-rules comes as source: its C code needs a compiler, which the last stage does not.
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY service service
COPY rules rules
RUN python -m venv /opt/claim-edits \
 && /opt/claim-edits/bin/pip install --no-cache-dir .

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home claimedits
COPY --from=build /opt/claim-edits /opt/claim-edits
ENV PATH=/opt/claim-edits/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CLAIMEDITS_STORE=/store
USER claimedits
VOLUME /store
EXPOSE 50051
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["claim-edits", "healthcheck", "localhost:50051"]
ENTRYPOINT ["claim-edits"]
CMD ["serve", "--address", "0.0.0.0:50051"]
