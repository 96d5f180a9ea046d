package main

import (
	"cmp"
	"net/http"
	"runtime"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/colaflow/colaflow/mcpserver"
	"github.com/colaflow/colaflow/tenancy"
)

// metrics counts what the server does. No label carries what a client sent.
type metrics struct {
	tenants  *tenantMetrics
	registry *prometheus.Registry
	messages *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	refused  prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		tenants:  newTenantMetrics(),
		registry: prometheus.NewRegistry(),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "colaflow_messages_total", Help: "MCP messages answered, by method, tool and result.",
		}, []string{"method", "tool", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "colaflow_message_seconds", Help: "Time from a message's arrival to its answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"method", "tool"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "colaflow_tokens_refused_total", Help: "Messages refused because their token was missing or did not work.",
		}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "colaflow_build_info", Help: "Always 1; the labels say which build this is.",
		ConstLabels: prometheus.Labels{"version": version(), "go": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.tenants, m.messages, m.seconds, m.refused, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watchStreams shows how many streams are open, which open counts by plan.
func (m *metrics) watchStreams(open func() map[string]int) {
	for _, plan := range tenancy.Plans() {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "colaflow_streams_open", Help: "Streams of subscriptions that are open on this node now, by the tenants' plan.",
			ConstLabels: prometheus.Labels{"plan": plan.Name},
		}, func() float64 { return float64(open()[plan.Name]) }))
	}
}

// observe counts one message.
func (m *metrics) observe(o mcpserver.Observation) {
	if o.Refused() {
		m.refused.Inc()
	}
	m.messages.WithLabelValues(o.Method, o.Tool, o.Result).Inc()
	m.seconds.WithLabelValues(o.Method, o.Tool).Observe(o.Duration.Seconds())
	kind := tenancy.TokenKind{Kind: tenancy.KindAgent, Accepted: o.TokenAccepted()}
	if o.Tenant == uuid.Nil {
		m.tenants.meters.TokenNaming(o.Claimed, kind)
		return
	}
	m.tenants.meters.Name(o.Tenant, o.Slug)
	m.tenants.meters.Token(o.Tenant, kind)
	m.tenants.meters.Call(o.Tenant, tenancy.CallKind{Tool: cmp.Or(o.Tool, o.Method), Result: o.Result})
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
