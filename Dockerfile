# pipekit with this project in an image: docker build -t pipekit .
# It runs as a user without rights, and its root file system may be read-only (docs/container.md).
FROM python:3.12-slim AS build
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY pipekit pipekit
RUN python -m venv /opt/pipekit \
    && /opt/pipekit/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt . \
    && find /opt/pipekit/lib/python*/site-packages/pandas /opt/pipekit/lib/python*/site-packages/scipy \
        /opt/pipekit/lib/python*/site-packages/pyarrow -type d -name tests -prune -exec rm -r {} + \
    && /opt/pipekit/bin/python -m compileall -q /opt/pipekit/lib \
    && /opt/pipekit/bin/pip uninstall -q -y pip

FROM python:3.12-slim
COPY --from=build /opt/pipekit /opt/pipekit
WORKDIR /project
COPY pyproject.toml ./
COPY pipelines pipelines
COPY templates templates
COPY plugins plugins
RUN install -d -o 10001 -g 10001 .pipekit logs
ENV PATH=/opt/pipekit/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
USER 10001:10001
VOLUME ["/project/.pipekit", "/project/logs", "/tmp"]
ENTRYPOINT ["pipekit"]
