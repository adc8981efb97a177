package signin

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net"
	"net/mail"
	"net/smtp"
	"net/url"
	"time"

	"github.com/vital-db/vital/internal/fault"
)

// Letter is a link for a person.
type Letter struct {
	To      string // an address, as normalEmail leaves it
	Subject string
	Text    string // a sentence before the link
	Link    string
}

// Mailer sends letters.
type Mailer interface {
	Send(ctx context.Context, letter Letter) error
}

// logMailer writes links to the log, for trying out without a mail server. Whoever reads the log can use
// them.
type logMailer struct{ log *slog.Logger }

func (m logMailer) Send(ctx context.Context, letter Letter) error {
	m.log.WarnContext(ctx, letter.Subject+": no mail server is set, so the link stands here", "to", letter.To, "link", letter.Link)
	return nil
}

const (
	mailTimeout = 20 * time.Second
	// maxSending bounds the letters on their way at once.
	maxSending = 16
)

// SMTP sends letters through a mail server.
type SMTP struct {
	host, address string
	implicitTLS   bool
	auth          smtp.Auth
	from          mail.Address
}

// NewSMTP reads smtp://user:password@host:587?from=ADDRESS, or smtps:// for TLS from the start. A password
// is sent only over TLS.
func NewSMTP(address string) (*SMTP, error) {
	bad := fault.New(fault.ConfigInvalid, "VITAL_SMTP_URL cannot be read.",
		"It has the form smtp://user:password@host:587?from=vital@example.org, or smtps:// with port 465.")
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, bad
	}
	from, err := mail.ParseAddress(u.Query().Get("from"))
	if err != nil {
		return nil, bad
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"smtp": "587", "smtps": "465"}[u.Scheme]
	}
	m := &SMTP{host: u.Hostname(), address: net.JoinHostPort(u.Hostname(), port), implicitTLS: u.Scheme == "smtps", from: *from}
	if password, set := u.User.Password(); set {
		m.auth = smtp.PlainAuth("", u.User.Username(), password, m.host) // refuses to speak without TLS
	}
	return m, nil
}

// Send hands a letter to the mail server.
func (m *SMTP) Send(ctx context.Context, letter Letter) (err error) {
	dialer := net.Dialer{Timeout: mailTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", m.address)
	if err != nil {
		return fmt.Errorf("reach mail server: %w", err)
	}
	defer conn.Close() //nolint:errcheck // it is given up either way
	if err := conn.SetDeadline(time.Now().Add(mailTimeout)); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	config := &tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12}
	if m.implicitTLS {
		conn = tls.Client(conn, config)
	}
	client, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return fmt.Errorf("greet mail server: %w", err)
	}
	if offered, _ := client.Extension("STARTTLS"); offered && !m.implicitTLS {
		if err := client.StartTLS(config); err != nil {
			return fmt.Errorf("start TLS: %w", err)
		}
	}
	if m.auth != nil {
		if err := client.Auth(m.auth); err != nil {
			return errors.New("the mail server refuses the login") // its own words may repeat the password
		}
	}
	if err := errors.Join(client.Mail(m.from.Address), client.Rcpt(letter.To)); err != nil {
		return fmt.Errorf("address letter: %w", err)
	}
	body, err := client.Data()
	if err != nil {
		return fmt.Errorf("begin letter: %w", err)
	}
	if _, err := body.Write(m.message(letter)); err != nil {
		return fmt.Errorf("write letter: %w", err)
	}
	return errors.Join(body.Close(), client.Quit())
}

func (m *SMTP) message(letter Letter) []byte {
	var b bytes.Buffer
	to := mail.Address{Address: letter.To}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMIME-Version: 1.0\r\n",
		m.from.String(), to.String(), mime.QEncoding.Encode("utf-8", letter.Subject), time.Now().Format(time.RFC1123Z))
	fmt.Fprintf(&b, "Content-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n\r\n%s\r\n", letter.Text, letter.Link)
	return b.Bytes()
}
