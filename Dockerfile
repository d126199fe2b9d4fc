# ideoflow in a container: `docker build -t ideoflow .`, then
#   docker run --rm -v "$PWD":/project -e IDEOGRAM_API_KEY ideoflow generate --yes --config production
# The project (prompts.yaml, configs/, data/) is mounted; the image holds the program alone.
FROM python:3.12-slim

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1 \
    IDEOFLOW_PROJECT=/project PREFECT_HOME=/tmp/prefect PREFECT_SERVER_ANALYTICS_ENABLED=false DO_NOT_TRACK=1

WORKDIR /opt/ideoflow
COPY requirements.lock ./
RUN pip install --no-deps -r requirements.lock
COPY pyproject.toml README.md LICENSE prompts.yaml ./
COPY configs configs
COPY flows flows
RUN pip install --no-deps --no-build-isolation .

# Files in the mounted project belong to whoever runs the container: add `--user "$(id -u):$(id -g)"`.
WORKDIR /project
ENTRYPOINT ["ideoflow"]
CMD ["--help"]
