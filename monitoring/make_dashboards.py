#!/usr/bin/env python3
"""Writes the Grafana dashboards of monitoring/dashboards from the tables below: monitoring/make_dashboards.py

A test compares the files with what this writes, so that a change is made here and not in the files.
"""

import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent / "dashboards"
WIDTH, COLUMNS, HEIGHT = 24, 3, 8
RATE = "[$__rate_interval]"


def quantile(share, metric, by=""):
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket{RATE})))"


def each_quantile(metric, by=""):
    suffix = f" {{{{{by}}}}}" if by else ""
    return [(quantile(share, metric, by), f"p{int(share * 100)}{suffix}") for share in (0.5, 0.95, 0.99)]


def per_second(metric, by, selector=""):
    return f"sum by ({by}) (rate({metric}{selector}{RATE}))"


# File, title, and rows of panels: title, unit, and queries with their legends.
DASHBOARDS = {
    "overview": ("Anwen: overview", [
        ("Services that answer", "none", [('count by (service, version) (anwen_build_info)', "{{service}} {{version}}")]),
        ("Answers by outcome", "ops", [(per_second("anwen_answers_total", "outcome"), "{{outcome}}")]),
        ("Answers under way", "none", [("sum(anwen_generations_running)", "answers")]),
        ("Requests by service", "reqps", [(per_second("anwen_http_requests_total", "service"), "{{service}}")]),
        ("Failed requests", "percentunit", [(
            per_second("anwen_http_requests_total", "service", '{status=~"5.."}') + " / "
            + per_second("anwen_http_requests_total", "service"), "{{service}}")]),
        ("Requests, 99th percentile by route", "s", [
            ("topk(10, " + quantile(0.99, "anwen_http_request_duration_seconds", "service, route") + ")",
             "{{service}} {{route}}")]),
        ("First words of an answer", "s", each_quantile("anwen_answer_first_delta_seconds")),
        ("Retrieval", "s", each_quantile("anwen_knowledge_retrieve_duration_seconds")),
        ("Sign-ins", "ops", [(per_second("anwen_sign_ins_total", "result"), "{{result}}")]),
        ("Memory against the limit", "percentunit",
         [("1 - anwen_memory_available_bytes / anwen_memory_limit_bytes", "{{instance}}")]),
        ("Resident memory", "bytes", [("process_resident_memory_bytes", "{{instance}}")]),
        ("Processor", "none", [(f"rate(process_cpu_seconds_total{RATE})", "{{instance}}")]),
        ("Free disk", "percentunit", [("anwen_disk_free_bytes / anwen_disk_size_bytes", "{{instance}} {{volume}}")]),
        ("Open files against the limit", "percentunit", [("process_open_fds / process_max_fds", "{{instance}}")]),
        ("Traces: spans sent and dropped", "ops", [
            (f"sum(rate(anwen_trace_spans_sent_total{RATE}))", "sent"),
            (per_second("anwen_trace_spans_dropped_total", "reason"), "dropped: {{reason}}")]),
    ]),
    "models": ("Anwen: models", [
        ("Time to first token", "s", each_quantile("anwen_model_time_to_first_token_seconds", "model")),
        ("Time between tokens", "s", each_quantile("anwen_model_inter_token_seconds", "model")),
        ("Tokens per second of one answer", "none",
         [(quantile(0.5, "anwen_model_tokens_per_second", "model"), "median {{model}}")]),
        ("Whole generation", "s", each_quantile("anwen_model_generation_duration_seconds", "model")),
        ("Under way", "none", [("sum by (model) (anwen_model_running_requests)", "{{model}}")]),
        ("Waiting", "none", [("sum by (model) (anwen_model_waiting_requests)", "{{model}}")]),
        ("Wait in the queue", "s", each_quantile("anwen_model_queue_wait_seconds", "model")),
        ("Requests", "reqps", [(per_second("anwen_model_requests_total", "model, kind"), "{{model}} {{kind}}")]),
        ("Refused and failed", "ops", [
            (per_second("anwen_model_failures_total", "code"), "{{code}}"),
            (per_second("anwen_model_generation_failures_total", "model, code"), "{{model}} {{code}}"),
            (per_second("anwen_model_cancelled_total", "model"), "{{model}} cancelled")]),
        ("Tokens written", "none", [(per_second("anwen_model_completion_tokens_total", "model"), "{{model}}")]),
        ("Tokens read", "none", [
            (per_second("anwen_model_prompt_tokens_total", "model"), "{{model}}"),
            (per_second("anwen_model_cached_prompt_tokens_total", "model"), "{{model}} from the cache")]),
        ("Kept answers and embeddings: hits", "percentunit", [(
            per_second("anwen_model_cache_lookups_total", "kind", '{outcome="hit"}') + " / "
            + per_second("anwen_model_cache_lookups_total", "kind"), "{{kind}}")]),
        ("Memory of loaded models", "bytes", [("anwen_model_memory_bytes", "{{instance}} {{model}}")]),
        ("Loading", "s", [(quantile(0.95, "anwen_model_load_duration_seconds", "model"), "p95 {{model}}")]),
        ("Texts embedded", "ops", [(per_second("anwen_model_embedded_texts_total", "model"), "{{model}}")]),
    ]),
    "knowledge": ("Anwen: knowledge", [
        ("Jobs", "none", [("max by (state) (anwen_knowledge_jobs)", "{{state}}")]),
        ("Documents", "none", [("max by (status) (anwen_knowledge_documents)", "{{status}}")]),
        ("Documents done and failed", "ops", [(per_second("anwen_knowledge_jobs_total", "outcome"), "{{outcome}}")]),
        ("The oldest document has waited", "s", [("max(anwen_knowledge_oldest_job_wait_seconds)", "waited")]),
        ("Entries that an index is behind", "none", [("anwen_knowledge_index_lag_entries", "{{instance}} {{index}}")]),
        ("Index was last up to date", "s",
         [("time() - anwen_knowledge_index_current_timestamp_seconds", "{{instance}} {{index}}")]),
        ("Reading a document", "s", each_quantile("anwen_knowledge_parse_duration_seconds")),
        ("Retrieval", "s", each_quantile("anwen_knowledge_retrieve_duration_seconds")),
        ("Embedding", "s", [(quantile(0.99, "anwen_model_embed_duration_seconds", "model"), "p99 {{model}}")]),
    ]),
    "search": ("Anwen: web search", [
        ("Searches that an engine answered", "percentunit", [(
            per_second("anwen_search_engine_requests_total", "engine", '{state="ok"}') + " / "
            + per_second("anwen_search_engine_requests_total", "engine"), "{{engine}}")]),
        ("Searches by state", "ops", [(per_second("anwen_search_engine_requests_total", "engine, state"), "{{engine}} {{state}}")]),
        ("Engine's time", "s", each_quantile("anwen_search_engine_duration_seconds", "engine")),
        ("Second requests", "ops", [(per_second("anwen_search_hedged_total", "engine"), "{{engine}}")]),
        ("Pages read", "ops", [(per_second("anwen_search_pages_read_total", "outcome"), "{{outcome}}")]),
        ("Stopped by rules", "ops", [(per_second("anwen_search_blocked_total", "direction"), "{{direction}}")]),
    ]),
}


def panel(number, title, unit, queries):
    width = WIDTH // COLUMNS
    targets = [
        {"datasource": {"type": "prometheus", "uid": "${datasource}"}, "expr": expression, "legendFormat": legend, "refId": chr(65 + index)}
        for index, (expression, legend) in enumerate(queries)
    ]
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "gridPos": {"x": number % COLUMNS * width, "y": number // COLUMNS * HEIGHT, "w": width, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0, "custom": {"fillOpacity": 10, "showPoints": "never"}}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}},
        "targets": targets,
    }


def dashboard(name):
    title, panels = DASHBOARDS[name]
    return {
        "uid": f"anwen-{name}",
        "title": title,
        "tags": ["anwen"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"}]},
        "links": [{"type": "dashboards", "tags": ["anwen"], "title": "Anwen", "asDropdown": True, "includeVars": True, "keepTime": True}],
        "panels": [panel(number, *content) for number, content in enumerate(panels)],
    }


def text(name):
    return json.dumps(dashboard(name), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in DASHBOARDS:
        (HERE / f"{name}.json").write_text(text(name))
