# One image for web, worker and beat; docker-compose.yml says which is which.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1

WORKDIR /app
# First what changes rarely, so that a change of code does not install everything again.
COPY requirements.txt constraints.txt ./
RUN pip install -r requirements.txt -c constraints.txt
COPY . .

# It owns nothing here: a process that is broken into cannot change the code it runs.
RUN useradd --system --no-create-home badgerjobs
USER badgerjobs

EXPOSE 8000
CMD ["python", "manage.py", "web"]
