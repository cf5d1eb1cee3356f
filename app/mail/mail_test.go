package mail

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"mime"
	"net"
	stdmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"picora/app/config"
)

// inbox is a real SMTP server that keeps what it takes.
type inbox struct {
	mu      sync.Mutex
	letters []received
	refuse  error // of the next recipients
	tries   int
	secure  bool // the last letter came encrypted
	user    string
}

type received struct{ from, to, text string }

type session struct {
	in       *inbox
	conn     *smtp.Conn
	from, to string
	signed   bool // signed in
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "picora" || password != "secret" {
			return smtp.ErrAuthFailed
		}
		s.signed = true
		return nil
	}), nil
}
func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	if s.in.user != "" && !s.signed {
		return smtp.ErrAuthRequired
	}
	return nil
}
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	s.to = to
	s.in.tries++
	return s.in.refuse
}
func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	s.in.letters = append(s.in.letters, received{s.from, s.to, string(b)})
	_, s.in.secure = s.conn.TLSConnectionState()
	return err
}

func (in *inbox) count() (letters, tries int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.letters), in.tries
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(c)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// serve runs the server, and a Mailer that sends to it.
func serve(t *testing.T, kind string, edit func(*smtp.Server, *config.Mail, *inbox)) (*Mailer, *inbox) {
	t.Helper()
	in := &inbox{}
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{in: in, conn: c}, nil }))
	s.Domain, s.ErrorLog = "localhost", quiet{}
	s.AllowInsecureAuth = kind == "none"
	cert, pool := certificate(t)
	if kind != "none" {
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Mail{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port, TLS: kind, From: "Picora <picora@example.org>"}
	if edit != nil {
		edit(s, &cfg, in)
	}
	if kind == "tls" {
		ln = tls.NewListener(ln, s.TLSConfig)
	}
	go s.Serve(ln)
	t.Cleanup(func() { s.Close() })
	m := New(cfg, "pics.example.org")
	m.tls, m.pause = &tls.Config{RootCAs: pool, ServerName: "localhost"}, time.Millisecond
	return m, in
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// run has the Mailer work until the test ends.
func run(t *testing.T, m *Mailer) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { m.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal(what)
		}
	}
}

func TestLettersReachARealServer(t *testing.T) {
	for _, kind := range []string{"none", "starttls", "tls"} {
		for _, user := range []string{"", "picora"} {
			t.Run(kind+" "+user, func(t *testing.T) {
				m, in := serve(t, kind, func(_ *smtp.Server, c *config.Mail, in *inbox) {
					in.user, c.User = user, user
					if user != "" {
						c.Password = "secret"
					}
				})
				run(t, m)
				if !m.Send("you@example.org", Code("zh-CN", "register", "123456")) {
					t.Fatal("not queued")
				}
				eventually(t, "no letter came", func() bool { n, _ := in.count(); return n == 1 })
				l := in.letters[0]
				if l.from != "picora@example.org" || l.to != "you@example.org" || in.secure != (kind != "none") {
					t.Errorf("%+v, encrypted %t", l, in.secure)
				}
				msg, err := stdmail.ReadMessage(strings.NewReader(l.text))
				if err != nil {
					t.Fatal(err)
				}
				subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
				if err != nil || subject != "123456 是您的验证码" || msg.Header.Get("Date") == "" || msg.Header.Get("Message-Id") == "" || msg.Header.Get("Auto-Submitted") != "auto-generated" {
					t.Errorf("%q %v %v", subject, err, msg.Header)
				}
			})
		}
	}
}

func TestALetterIsNotSentUnencrypted(t *testing.T) {
	m, in := serve(t, "starttls", func(s *smtp.Server, _ *config.Mail, _ *inbox) { s.TLSConfig = nil }) // the server knows no STARTTLS
	if err := m.send(t.Context(), letter{"you@example.org", Text{"s", "b"}}); err == nil {
		t.Error("it was")
	}
	if n, _ := in.count(); n != 0 {
		t.Error("a letter came")
	}
	m, _ = serve(t, "starttls", nil)
	m.tls = nil // the system's roots do not know the certificate
	if err := m.send(t.Context(), letter{"you@example.org", Text{"s", "b"}}); err == nil {
		t.Error("a certificate that nobody vouches for was taken")
	}
}

func TestAServerThatRefusesIsAskedAgainOnlyWhenThatMayHelp(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"for good":      {&smtp.SMTPError{Code: 550, Message: "no such user"}, 1},
		"for the while": {&smtp.SMTPError{Code: 451, Message: "later"}, tries},
	} {
		m, in := serve(t, "none", func(_ *smtp.Server, _ *config.Mail, in *inbox) { in.refuse = c.err })
		m.deliver(t.Context(), letter{"you@example.org", Text{"s", "b"}})
		if n, asked := in.count(); n != 0 || asked != c.want {
			t.Errorf("%s: %d letters, %d tries, want %d", name, n, asked, c.want)
		}
	}
}

func TestWrongPasswordIsAnErrorWithoutThePassword(t *testing.T) {
	m, in := serve(t, "starttls", func(_ *smtp.Server, c *config.Mail, in *inbox) {
		in.user, c.User, c.Password = "picora", "picora", "hunter2-secret"
	})
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	m.deliver(t.Context(), letter{"you@example.org", Code("en", "login", "918273")})
	if n, _ := in.count(); n != 0 {
		t.Error("a letter came")
	}
	if s := log.String(); !strings.Contains(s, "a letter was not sent") || strings.Contains(s, "hunter2") || strings.Contains(s, "you@example.org") {
		t.Errorf("the log says %s", s)
	}
}

func TestAServerThatHangsHoldsUpNobody(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	m := New(config.Mail{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port, TLS: "none", From: "p@example.org"}, "Picora")
	m.deadline = 50 * time.Millisecond
	if err := m.send(t.Context(), letter{"you@example.org", Text{"s", "b"}}); err == nil {
		t.Error("a letter was sent to nobody")
	}
	m.deadline = time.Hour
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { m.Run(ctx); close(done) }()
	sent := 0
	for range 3 * queueLen {
		if m.Send("you@example.org", Text{"s", "b"}) {
			sent++
		}
	}
	if sent < queueLen || sent > queueLen+workers {
		t.Errorf("%d letters wait", sent)
	}
	cancel()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Error("a stop waits for the mail server")
	}
}

func TestNothingGetsIntoAHeader(t *testing.T) {
	m := New(config.Mail{Host: "x", From: "Picora <p@example.org>"}, "Picora")
	for _, to := range []string{
		"", "nobody", "a@example.org\r\nBcc: b@example.org", "a@example.org\nBcc: b@example.org", "a@example.org, b@example.org", "<a@example.org>", "A <a@example.org>",
		"a@example.org\x00", "a b@example.org", "\"a\"@example.org", "a@example.org (c)", "a@exam\u2028ple.org", strings.Repeat("a", 250) + "@example.org", "a@\xff.org",
	} {
		if Address(to) || m.Send(to, Text{"s", "b"}) {
			t.Errorf("%q is taken for an address", to)
		}
	}
	for _, to := range []string{"a@example.org", "a+b@example.org", "ä@example.org", "o'neil@example.org"} {
		if !Address(to) {
			t.Errorf("%q is no address", to)
		}
	}
	msg, err := m.message(letter{"a@example.org", NewDevice("en", "Firefox\r\nBcc: x@example.org", "1.2.3.4\nX-Evil: 1", time.Now())})
	if err != nil {
		t.Fatal(err)
	}
	msg.Subject("") // set again below, as message does
	odd, err := m.message(letter{"a@example.org", Text{"hello\r\nBcc: x@example.org\r\n\r\nbody", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []interface {
		WriteTo(io.Writer) (int64, error)
	}{msg, odd} {
		var b bytes.Buffer
		if _, err := x.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		head, err := stdmail.ReadMessage(&b)
		if err != nil {
			t.Fatal(err)
		}
		if head.Header.Get("Bcc") != "" || head.Header.Get("X-Evil") != "" || len(head.Header["To"]) != 1 {
			t.Errorf("headers are %v", head.Header)
		}
	}
}

func TestNoMailIsNoError(t *testing.T) {
	var none *Mailer
	off := New(config.Mail{}, "")
	if none.On() || off.On() || none.Send("a@example.org", Text{}) || off.Send("a@example.org", Text{}) {
		t.Error("there is no server, and yet")
	}
	off.Run(t.Context()) // returns
}

func TestTheLanguageIsTheUsersOrElseTheBrowsers(t *testing.T) {
	for _, c := range [][3]string{
		{"", "", "en"}, {"zh-CN", "", "zh-CN"}, {"zh-CN", "en", "zh-CN"}, {"en", "zh-CN,zh;q=0.9", "en"},
		{"", "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"}, {"", "zh-TW", "zh-CN"}, {"", "de-DE,zh;q=0.5", "en"}, {"", " ZH", "zh-CN"},
	} {
		if got := Language(c[0], c[1]); got != c[2] {
			t.Errorf("%q %q: %s, want %s", c[0], c[1], got, c[2])
		}
	}
}

func TestLettersReachAServerNamedByItsIPv6Address(t *testing.T) {
	for _, kind := range []string{"none", "starttls"} {
		m, in := serve(t, kind, func(s *smtp.Server, c *config.Mail, in *inbox) {
			ln, err := net.Listen("tcp", "[::1]:0")
			if err != nil {
				t.Skip("no IPv6 here")
			}
			go s.Serve(ln)
			in.user, c.User, c.Password = "picora", "picora", "secret"
			c.Host, c.Port = "::1", ln.Addr().(*net.TCPAddr).Port
		})
		run(t, m)
		if !m.Send("you@example.org", Code("en", "register", "123456")) {
			t.Fatal("not queued")
		}
		eventually(t, "no letter came with "+kind, func() bool { n, _ := in.count(); return n == 1 })
	}
}

// TestALetterUnderWayAtAStopIsCounted changes the log of the whole process, so it does
// not run beside others.
func TestALetterUnderWayAtAStopIsCounted(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	ln, err := net.Listen("tcp", "127.0.0.1:0") // takes a connection and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	m := New(config.Mail{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port, TLS: "none", From: "p@example.org"}, "Picora")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { m.Run(ctx); close(done) }()
	m.Send("you@example.org", Text{"s", "b"})
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cancel()
	<-done
	if s := log.String(); !strings.Contains(s, "letters were not sent before the stop\" letters=1") {
		t.Errorf("the log says %s", s)
	}
}
