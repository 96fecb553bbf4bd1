# Makes the tables of docs/benchmarks.md. Wants the files conditions, results.tsv and searches.tsv.

function median(list, n, i, j, t, a) {
  n = split(list, a, " ")
  for (i = 2; i <= n; i++) { t = a[i]; for (j = i - 1; j > 0 && a[j] + 0 > t + 0; j--) a[j + 1] = a[j]; a[j + 1] = t }
  return a[int((n + 1) / 2)]
}
# Of each round, one side's value by the other's; field 3 is requests a second, 4 the p99, 5 and 6 microseconds, 7 the share.
function ratio(name, a, b, field, i, list) {
  for (i = 1; i <= rounds[name, a]; i++) list = list " " value[name, a, i, field] / value[name, b, i, field]
  return median(list)
}
# What the ratio would be if both sides had got the same share of the machine.
function fair(name, a, b, i, list) {
  for (i = 1; i <= rounds[name, a]; i++)
    list = list " " (value[name, a, i, 3] / value[name, a, i, 7]) / (value[name, b, i, 3] / value[name, b, i, 7])
  return median(list)
}
function of(name, side, field, i, list) {
  for (i = 1; i <= rounds[name, side]; i++) list = list " " value[name, side, i, field]
  return median(list)
}
function http(title, name, base, floor, stretch) {
  printf "| %s | %.0f | %.0f | **%.2f** | %.2f | %s | %s | %.0f + %.0f (%.0f) | %.1f | %.0f / %.0f %% |\n", title, of(name, "api", 3), \
    of(name, base, 3), ratio(name, "api", base, 3), fair(name, "api", base), floor, stretch, of(name, "api", 5), of(name, "api", 6), \
    of(name, base, 5) + of(name, base, 6), ratio(name, "api", base, 4), of(name, "api", 7) * 100, of(name, base, 7) * 100
}
function plain(title, ours, base, result, floor, stretch) {
  printf "| %s | %s | %s | **%.2f** | %s | %s |\n", title, ours, base, result, floor, stretch
}

FILENAME ~ /conditions$/ { print; next }
FILENAME ~ /results/ {
  i = ++rounds[$1, $2]
  for (field = 3; field <= NF; field++) value[$1, $2, i, field] = $field
  next
}
FNR == 1 {
  print "\n| | API, req/s | base, /s | ratio | fair | floor | stretch | µs: server + PostgreSQL (base) | p99 × | share of the machine |"
  print "|---|---|---|---|---|---|---|---|---|---|"
  http("a car order by id, with its timeline, curve, bill, payments and ledger", "get", "pgbench", "0.40", "0.60")
  http("a list of 20 that needs no count", "list", "pgbench", "0.35", "0.50")
  http("a tenant's last week: 20 of 1 900, counted", "list_week", "pgbench", "0.50", "0.70")
  http("a tenant's year: 20 of 100 000, counted to 10 000", "list_counted", "pgbench", "0.50", "0.70")
  http("the same of 600 000, against pgbench that counts all of them", "exact", "pgbench", "10", "19")
  http("a page deep in the year by cursor, against the first page", "deep", "first", "0.50", "1")
  http("a new order with session, payment, timeline, job and notices", "insert", "pgbench", "0.65", "1.00")
  print "\n| | ours | base | ratio | floor | stretch |\n|---|---|---|---|---|---|"
  us = "%.0f µs"
  for (n = split("platform medium", scopes, " "); n > 0; n--) {
    name = "dashboard_" scopes[n]
    a = of(name, "rollup", 5) + of(name, "rollup", 6); b = of(name, "raw", 5) + of(name, "raw", 6)
    plain("dashboard of " (scopes[n] == "platform" ? "all tenants" : "one tenant") ", from rollups against raw tables, processor time", \
      sprintf(us, a), sprintf(us, b), a / b, "≤ 0.3", "≤ 0.1")
  }
  a = of("export", "api", 3); b = of("export", "copy", 3)
  plain("sheet of 100 000 orders against COPY to CSV, processor time of all", a " s", b " s", a / b, "≤ 8", "≤ 7")
  plain("memory that it takes at its highest", sprintf("%.0f MiB", of("export_memory", "api", 3) / 1024), "", 0, "", "")
  plain("heartbeats a second, against a server that only answers them", of("beats_per_second", "gateway", 3), of("beats_per_second", "limit", 3), \
    ratio("beats_per_second", "gateway", "limit", 3), "0.80", "0.90")
  plain("processor time of a heartbeat", of("cpu_us_per_beat", "gateway", 3) " µs", of("cpu_us_per_beat", "limit", 3) " µs", \
    ratio("cpu_us_per_beat", "gateway", "limit", 3), "", "")
  plain("memory of a connection", of("kib_per_connection", "gateway", 3) " KiB", of("kib_per_connection", "limit", 3) " KiB", \
    ratio("kib_per_connection", "gateway", "limit", 3), "≤ 24 KiB", "≤ 16 KiB")
  plain("all chargers connected and answered", of("connect_seconds", "gateway", 3) " s", of("connect_seconds", "limit", 3) " s", \
    ratio("connect_seconds", "gateway", "limit", 3), "", "")
  print "\nEvery search condition over the year, first page with its count, one request at a time, in ms:\n"
  print "| | all | 30 % | 5 % | 0.2 % |\n|---|---|---|---|---|"
}
{ sub(/\t/, "` | "); gsub(/\t/, " | "); sub(/[?]/, "` `"); gsub(/YEAR/, "…"); print "| `" $0 " |" }
