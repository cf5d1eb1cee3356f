// Package mail sends Picora's letters: short texts to one person each, in the
// background. No request waits for a mail server, and none fails because of it.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	stdmail "net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"

	"picora/app/config"
)

const (
	queueLen = 200              // letters that wait
	workers  = 2                // connections at a time
	deadline = 30 * time.Second // for one letter, from the connection to the server's last word
	tries    = 3                // of a letter that the server does not refuse for good
)

// Mailer sends letters. A nil one, and one without a server, sends none.
type Mailer struct {
	cfg   config.Mail
	site  string
	queue chan letter

	tls      *tls.Config   // for tests: nil is what the library does
	deadline time.Duration // of one try
	pause    time.Duration // before the second try; doubled before the third
}

type letter struct {
	to   string
	text Text
}

// New returns a Mailer for the settings. Site is how letters call this server.
func New(cfg config.Mail, site string) *Mailer {
	return &Mailer{cfg: cfg, site: oneLine(site), queue: make(chan letter, queueLen), deadline: deadline, pause: 5 * time.Second}
}

// On reports whether there is a server to send to.
func (m *Mailer) On() bool { return m != nil && m.cfg.Host != "" }

// Send has the letter sent some time soon. It reports whether that will be tried: not
// when there is no server, the address is none, or too many letters wait.
func (m *Mailer) Send(to string, t Text) bool {
	if !m.On() || !Address(to) {
		return false
	}
	select {
	case m.queue <- letter{to, t}:
		return true
	default:
		slog.Error("a letter was dropped: too many wait for the mail server", "subject", t.Subject)
		return false
	}
}

// Run sends until ctx ends; what waits then is dropped, and said to be.
func (m *Mailer) Run(ctx context.Context) {
	if !m.On() {
		return
	}
	var all sync.WaitGroup
	var cut atomic.Int64 // letters whose delivery the stop ended
	for range workers {
		all.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case l := <-m.queue:
					if !m.deliver(ctx, l) {
						cut.Add(1)
					}
				}
			}
		})
	}
	all.Wait()
	if n := len(m.queue) + int(cut.Load()); n > 0 {
		slog.Warn("letters were not sent before the stop", "letters", n)
	}
}

// deliver tries until the server takes the letter or refuses it for good. It reports
// whether it came to that before ctx ended.
func (m *Mailer) deliver(ctx context.Context, l letter) bool {
	pause := m.pause
	for try := 1; ; try++ {
		err := m.send(ctx, l)
		if err == nil || ctx.Err() != nil {
			return err == nil
		}
		refused, is := errors.AsType[*gomail.SendError](err)
		if try == tries || is && refused.ErrorCode() >= 500 && !refused.IsTemp() {
			// Not to whom: the log is no list of addresses.
			slog.Error("a letter was not sent", "subject", l.text.Subject, "host", m.cfg.Host, "tries", try, "err", err)
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
		pause *= 2
	}
}

func (m *Mailer) send(ctx context.Context, l letter) error {
	ctx, cancel := context.WithTimeout(ctx, m.deadline)
	defer cancel()
	msg, err := m.message(l)
	if err != nil {
		return err
	}
	c, err := gomail.NewClient(bracketed(m.cfg.Host), m.options()...)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- c.DialAndSendWithContext(ctx, msg) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		// The library waits for the server's words whatever becomes of ctx. Its own
		// timeout ends it soon; a stop does not wait for that.
		return fmt.Errorf("mail: the server took too long: %w", ctx.Err())
	}
}

// bracketed is host as the library wants it before a port.
func bracketed(host string) string {
	if strings.Contains(host, ":") { // an address of IPv6
		return "[" + host + "]"
	}
	return host
}

func (m *Mailer) message(l letter) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := msg.From(m.cfg.From); err != nil {
		return nil, err
	}
	if err := msg.To(l.to); err != nil {
		return nil, err
	}
	msg.Subject(oneLine(l.text.Subject))
	msg.SetDate()
	msg.SetMessageID()
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // nobody answers with an absence note
	msg.SetBodyString(gomail.TypeTextPlain, l.text.Body+"\n\n-- \n"+m.site+"\n")
	return msg, nil
}

func (m *Mailer) options() []gomail.Option {
	o := []gomail.Option{gomail.WithPort(m.cfg.Port), gomail.WithTimeout(m.deadline), gomail.WithoutNoop()}
	switch m.cfg.TLS {
	case "tls":
		o = append(o, gomail.WithSSL())
	case "none":
		o = append(o, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		o = append(o, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if m.tls != nil {
		o = append(o, gomail.WithTLSConfig(m.tls))
	}
	if m.cfg.User != "" {
		kind := gomail.SMTPAuthAutoDiscover
		if m.cfg.TLS == "none" { // the settings allow it on this machine only
			kind = gomail.SMTPAuthPlainNoEnc
		}
		o = append(o, gomail.WithSMTPAuth(kind), gomail.WithUsername(m.cfg.User), gomail.WithPassword(m.cfg.Password))
	}
	return o
}

// Address reports whether s is a plain e-mail address, without a name, comment or
// quotes, as an account may have: one that can stand in a header or a log as it is.
func Address(s string) bool {
	if len(s) > 254 || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || strings.ContainsRune(`"<>()[],;:\`, r)
	}) {
		return false
	}
	a, err := stdmail.ParseAddress(s)
	return err == nil && a.Address == s && a.Name == ""
}

// oneLine is s without what could end a header's line.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s))
}
