package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are Prometheus counters of this process.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	files    prometheus.Counter
	jobs     *prometheus.CounterVec
	jobTime  *prometheus.HistogramVec

	fileRoutes []string // patterns of the routes of files, which have a cheap counter
}

func newMetrics(version string, fileRoutes []string) *metrics {
	m := &metrics{
		fileRoutes: fileRoutes,
		registry:   prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "picora_http_requests_total", Help: "Requests answered, by route, method and status; served files are not among them.",
		}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "picora_http_request_seconds", Help: "Time until the answer was ready, without its transmission.",
			Buckets: []float64{.001, .005, .025, .1, .5, 2.5, 10, 60},
		}, []string{"route", "method"}),
		files: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "picora_files_served_total", Help: "Files and parts of files served with success.",
		}),
		jobs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "picora_media_jobs_total", Help: "Jobs of media workers, by kind and outcome: done, refused (the file is at fault), crashed, timeout, memory, failed, busy, cancelled.",
		}, []string{"kind", "outcome"}),
		jobTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "picora_media_job_seconds", Help: "Time of a media worker's job, waiting included.",
			Buckets: []float64{.005, .025, .1, .5, 2.5, 10, 60, 600},
		}, []string{"kind"}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{Name: "picora_info", Help: "The running version.", ConstLabels: prometheus.Labels{"version": version}})
	info.Set(1)
	m.registry.MustRegister(m.requests, m.seconds, m.files, m.jobs, m.jobTime, info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) request(c *fiber.Ctx, status int, took time.Duration) {
	route := c.Route().Path
	if status < 400 && slices.Contains(m.fileRoutes, route) {
		m.files.Inc()
		return
	}
	m.requests.WithLabelValues(route, c.Method(), strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route, c.Method()).Observe(took.Seconds())
}

// CountJob counts a media worker's job.
func (s *Server) CountJob(kind, outcome string, took time.Duration) {
	s.metrics.jobs.WithLabelValues(kind, outcome).Inc()
	s.metrics.jobTime.WithLabelValues(kind).Observe(took.Seconds())
}

// CountVideos has the metrics tell how many jobs on videos are in each state, as count
// finds when it is asked. It is called once, before the start.
func (s *Server) CountVideos(count func() (map[string]int, error)) {
	s.metrics.registry.MustRegister(videoJobs{count, prometheus.NewDesc(
		"picora_video_jobs", "Work on videos: waiting, running, and what ended lately as done or failed.", []string{"state"}, nil)})
}

// videoJobs is a Collector.
type videoJobs struct {
	count func() (map[string]int, error)
	desc  *prometheus.Desc
}

func (v videoJobs) Describe(to chan<- *prometheus.Desc) { to <- v.desc }

func (v videoJobs) Collect(to chan<- prometheus.Metric) {
	n, err := v.count()
	if err != nil {
		to <- prometheus.NewInvalidMetric(v.desc, err)
		return
	}
	for state, n := range n {
		to <- prometheus.MustNewConstMetric(v.desc, prometheus.GaugeValue, float64(n), state)
	}
}

// CountFindings has the metrics tell with how many files something is wrong, by the problem,
// and when the last check of the files ended. It is called once, before the start.
func (s *Server) CountFindings(count func() (map[string]int, time.Time, error)) {
	s.metrics.registry.MustRegister(findings{count,
		prometheus.NewDesc("picora_damaged_files", "Files with which something is wrong, as the last checks found: missing, corrupt, or an orphan (no record has it).", []string{"problem"}, nil),
		prometheus.NewDesc("picora_scrub_end_timestamp_seconds", "When the last check of the files came to its end; 0: not yet.", nil, nil),
	})
}

// findings is a Collector.
type findings struct {
	count       func() (map[string]int, time.Time, error)
	files, last *prometheus.Desc
}

func (f findings) Describe(to chan<- *prometheus.Desc) { to <- f.files; to <- f.last }

func (f findings) Collect(to chan<- prometheus.Metric) {
	found, ended, err := f.count()
	if err != nil {
		to <- prometheus.NewInvalidMetric(f.files, err)
		return
	}
	for problem, n := range found {
		to <- prometheus.MustNewConstMetric(f.files, prometheus.GaugeValue, float64(n), problem)
	}
	at := 0.0
	if !ended.IsZero() {
		at = float64(ended.Unix())
	}
	to <- prometheus.MustNewConstMetric(f.last, prometheus.GaugeValue, at)
}

// ServeMetrics serves /metrics on ln until ctx ends.
func (s *Server) ServeMetrics(ctx context.Context, ln net.Listener) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}))
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
