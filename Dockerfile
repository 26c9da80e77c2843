# The workbench as one image: `aft up --no-workers` is the server, `aft worker` computes. docker-compose.yml starts both.

FROM node:20-bookworm-slim AS pages
WORKDIR /app/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend/ ./
RUN npm run build

FROM python:3.11-slim-bookworm
# Chromium draws figures to PNG and SVG.
RUN apt-get update \
    && apt-get install -y --no-install-recommends chromium fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 10001 aft && mkdir /data && chown aft:aft /data
WORKDIR /app
RUN python -m venv .venv
ENV PATH=/app/.venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1

COPY requirements/base.lock requirements/
COPY constraints/cpu.txt constraints/
RUN pip install --no-deps --require-hashes -r requirements/base.lock
# Set this to PyTorch's own index of CPU builds for an image without CUDA's libraries, which is some gigabytes smaller.
ARG PIP_EXTRA_INDEX_URL
RUN pip install -c constraints/cpu.txt torch

COPY pyproject.toml alembic.ini ./
COPY aft/ aft/
COPY backend/ backend/
COPY worker/ worker/
COPY migrations/ migrations/
RUN pip install --no-deps --no-build-isolation -e . && pip check
COPY --from=pages /app/frontend/dist/ frontend/dist/

USER aft
ENV AFT_DATA_DIR=/data HF_HOME=/data/huggingface
VOLUME /data
EXPOSE 8765
STOPSIGNAL SIGTERM
CMD ["aft", "up", "--no-browser", "--verbose"]
