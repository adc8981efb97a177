package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// prometheus is a real one with the alerts of deploy/, which asks the server every second.
type prometheus struct {
	cmd     *exec.Cmd
	address string
	panels  []expression
}

// expression is an expression of a panel.
type expression struct{ title, text string }

// shown is what a panel shows of one series.
type shown struct {
	title  string
	labels map[string]string
	value  float64
}

// startPrometheus returns nil where there is none.
func (w *world) startPrometheus(server string) (_ *prometheus, err error) {
	program, err := exec.LookPath("prometheus")
	if errors.Is(err, exec.ErrNotFound) {
		return nil, nil //nolint:nilnil // it is not needed
	}
	if err != nil {
		return nil, err
	}
	p := &prometheus{}
	if p.panels, err = readPanels(filepath.Join("deploy", "grafana", "vital.json")); err != nil {
		return nil, err
	}
	rules, err := filepath.Abs(filepath.Join("deploy", "prometheus", "alerts.yaml"))
	if err != nil {
		return nil, err
	}
	config := filepath.Join(w.dir, "prometheus.yaml")
	text := fmt.Sprintf("global: { scrape_interval: 1s, evaluation_interval: 1s }\nrule_files: [%q]\nscrape_configs:\n  - job_name: vital\n    static_configs: [{ targets: [%q] }]\n", rules, server)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if p.address, err = freeAddress(); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(w.dir, "prometheus.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.Command(program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(w.dir, "prometheus"), //nolint:noctx // ended by us
		"--web.listen-address="+p.address, "--log.level=warn")
	p.cmd.Stderr = log
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start prometheus: %w", err)
	}
	return p, nil
}

// freeAddress is one that nobody listens on, as yet.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // loopback
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (p *prometheus) stop() error {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	_ = p.cmd.Wait() // how it ended is in its log
	return nil
}

// readPanels reads the dashboard's expressions, with its variables as one who looks at all servers has them.
func readPanels(file string) (all []expression, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	variables := strings.NewReplacer("$job", "vital", "$instance", ".*", "$__rate_interval", "10s")
	for _, panel := range dashboard.Panels {
		for _, t := range panel.Targets {
			all = append(all, expression{panel.Title, variables.Replace(t.Expr)})
		}
	}
	return all, nil
}

// watched asks Prometheus what it raises, and what the dashboard shows.
func (s *faultStage) watched(ctx context.Context, now *sight) error {
	if s.prometheus == nil {
		return nil
	}
	var raised struct {
		Alerts []struct {
			Labels map[string]string
			State  string
		}
	}
	if err := s.prometheus.ask(ctx, "/api/v1/alerts", &raised); err != nil {
		return err
	}
	now.alerts = map[string]string{}
	for _, a := range raised.Alerts {
		now.alerts[a.Labels["alertname"]] = a.State
	}
	for _, t := range s.prometheus.panels {
		var found struct {
			Result []struct {
				Metric map[string]string
				Value  []any // when, and what as text
			}
		}
		if err := s.prometheus.ask(ctx, "/api/v1/query?query="+url.QueryEscape(t.text), &found); err != nil {
			return fmt.Errorf("panel %s: %w", t.title, err)
		}
		for _, series := range found.Result {
			value, err := strconv.ParseFloat(fmt.Sprint(series.Value[1]), 64)
			if err != nil {
				return fmt.Errorf("panel %s: %w", t.title, err)
			}
			now.panels = append(now.panels, shown{t.title, series.Metric, value})
		}
	}
	return nil
}

// ask reads the data of an answer; at the beginning it may take a moment to come.
func (p *prometheus) ask(ctx context.Context, path string, data any) error {
	var err error
	for range 50 {
		body, failed := fetch(ctx, "http://"+p.address+path)
		if err = failed; err != nil {
			time.Sleep(100 * time.Millisecond)
			continue
		}
		answer := struct{ Data any }{data}
		return errors.Join(json.NewDecoder(body).Decode(&answer), body.Close())
	}
	return err
}
