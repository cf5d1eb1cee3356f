package apptest

import (
	"io"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"picora/app/config"
)

// Inbox is a real mail server that takes everything.
type Inbox struct {
	mu      sync.Mutex
	letters []Letter
	port    int
}

// Letter is one that came.
type Letter struct{ To, Subject, Text string }

// NewInbox starts a mail server that ends with the test.
func NewInbox(t testing.TB) *Inbox {
	t.Helper()
	in := &Inbox{}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &delivery{in: in}, nil }))
	s.Domain = "localhost"
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	in.port = ln.Addr().(*net.TCPAddr).Port
	go s.Serve(ln)
	t.Cleanup(func() { s.Close() })
	return in
}

// Use has a Picora send its mail here: an argument of Start.
func (in *Inbox) Use(c *config.Config) {
	c.Mail = config.Mail{Host: "127.0.0.1", Port: in.port, TLS: "none", From: "Picora <picora@example.org>"}
}

// Letters are those that came for the address so far.
func (in *Inbox) Letters(to string) (list []Letter) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, l := range in.letters {
		if l.To == to {
			list = append(list, l)
		}
	}
	return list
}

// Wait waits for the n-th letter, from 1, to the address.
func (in *Inbox) Wait(t testing.TB, to string, n int) Letter {
	t.Helper()
	for until := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		if l := in.Letters(to); len(l) >= n {
			return l[n-1]
		}
		if time.Now().After(until) {
			t.Fatalf("letter %d to %s did not come", n, to)
		}
	}
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// Code is the code in the letter.
func (l Letter) Code(t testing.TB) string {
	t.Helper()
	c := sixDigits.FindString(l.Text)
	if c == "" {
		t.Fatalf("there is no code in %q", l.Text)
	}
	return c
}

// delivery is a connection.
type delivery struct {
	in *Inbox
	to string
}

func (d *delivery) Reset()                               {}
func (d *delivery) Logout() error                        { return nil }
func (d *delivery) Mail(string, *smtp.MailOptions) error { return nil }
func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.to = to
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body := m.Body
	if strings.EqualFold(m.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	b, err := io.ReadAll(body)
	d.in.mu.Lock()
	defer d.in.mu.Unlock()
	d.in.letters = append(d.in.letters, Letter{d.to, m.Header.Get("Subject"), string(b)})
	return err
}
