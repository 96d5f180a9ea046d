package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/colaflow/colaflow/store"
	"github.com/colaflow/colaflow/tenancy"
)

// metricTenants is how many tenants the metrics tell apart; the others share one name.
const metricTenants = 500

// tenantMetrics shows Prometheus what tenants did, and what those that are in use
// hold now. Tools and results are of closed lists, and tenants are bounded.
type tenantMetrics struct {
	meters *tenancy.Meters
	apps   *tenancy.Applications // nil until the server is assembled
	desc   map[string]*prometheus.Desc
}

func newTenantMetrics() *tenantMetrics {
	m := &tenantMetrics{meters: tenancy.NewMeters(metricTenants), desc: map[string]*prometheus.Desc{}}
	for _, d := range []struct {
		name, help string
		labels     []string
	}{
		{"calls_total", "Calls, by tool or method and result.", []string{"tool", "result"}},
		{"tokens_total", "Tokens and tickets that were looked at, by kind, accepted or refused.", []string{"kind", "result"}},
		{"database_trips_total", "Round trips to the database.", nil},
		{"database_errors_total", "Round trips that failed.", nil},
		{"database_rows_total", "Rows that were read and written.", nil},
		{"database_seconds_total", "Time in the database.", nil},
		{"database_wait_seconds_total", "Time of waiting for a connection.", nil},
		{"pages_total", "Report pages, by event: put or shown.", []string{"event"}},
		{"pages_held", "Report pages in this process's memory now.", nil},
		{"memory_bytes", "What the tenant holds in this process now.", nil},
		{"memory_limit_bytes", "What it may hold.", nil},
		{"memory_refused_total", "Requests refused for want of memory, since the tenant was last idle.", nil},
	} {
		m.desc[d.name] = prometheus.NewDesc("colaflow_tenant_"+d.name, d.help, append([]string{"tenant"}, d.labels...), nil)
	}
	return m
}

// Describe implements prometheus.Collector.
func (m *tenantMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range m.desc {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m *tenantMetrics) Collect(out chan<- prometheus.Metric) {
	send := func(name string, kind prometheus.ValueType, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(m.desc[name], kind, value, labels...)
	}
	for _, u := range m.meters.Usage() {
		count := func(name string, value float64, labels ...string) {
			send(name, prometheus.CounterValue, value, append([]string{u.Slug}, labels...)...)
		}
		for kind, n := range u.Calls {
			count("calls_total", float64(n), kind.Tool, kind.Result)
		}
		for kind, n := range u.Tokens {
			count("tokens_total", float64(n), kind.Kind, map[bool]string{true: "accepted", false: "refused"}[kind.Accepted])
		}
		count("database_trips_total", float64(u.Trips))
		count("database_errors_total", float64(u.TripErrors))
		count("database_rows_total", float64(u.Rows))
		count("database_seconds_total", u.Took.Seconds())
		count("database_wait_seconds_total", u.Waited.Seconds())
		count("pages_total", float64(u.PagesPut), "put")
		count("pages_total", float64(u.PagesShown), "shown")
	}
	if m.apps == nil {
		return
	}
	for _, app := range m.apps.Live() {
		slug, b := app.Tenant().Slug, app.Budget()
		send("pages_held", prometheus.GaugeValue, float64(app.PagesHeld()), slug)
		send("memory_bytes", prometheus.GaugeValue, float64(b.Used()), slug)
		send("memory_limit_bytes", prometheus.GaugeValue, float64(b.Limit()), slug)
		send("memory_refused_total", prometheus.CounterValue, float64(b.Refused()), slug)
	}
}

// trip counts a round trip to the database.
func (m *tenantMetrics) trip(t store.Trip) {
	m.meters.Trip(t.Tenant, t.Took, t.Waited, t.Rows, t.Failed)
}
