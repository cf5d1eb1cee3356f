// Package config holds Picora's settings: one struct per section, the defaults,
// and the way they are read (file, then environment, then flags).
package config

import "time"

// Config is every setting of one Picora process. The Go field, the TOML key and
// the environment variable are the same words: Upload.MaxBytes is max_bytes in
// [upload] and PICORA_UPLOAD_MAX_BYTES.
type Config struct {
	Server   Server   `toml:"server"`
	Accounts Accounts `toml:"accounts"`
	Limits   Limits   `toml:"limits"`
	Upload   Upload   `toml:"upload"`
	Fetch    Fetch    `toml:"fetch"`
	Blobs    Blobs    `toml:"blobs"`
	S3       S3       `toml:"s3"`
	Scrub    Scrub    `toml:"scrub"`
	CDN      CDN      `toml:"cdn"`
	Images   Images   `toml:"images"`
	Video    Video    `toml:"video"`
	Mail     Mail     `toml:"mail"`
	Log      Log      `toml:"log"`
	Metrics  Metrics  `toml:"metrics"`
	// OIDC are the providers with whose accounts people may sign in, by name.
	OIDC map[string]OIDC `toml:"oidc"`
	// Variants are the prepared transforms, by name.
	Variants map[string]Variant `toml:"variants"`
	// Plans are what accounts may have, by the plan's name. All of PlanNames are there.
	Plans map[string]Plan `toml:"plans"`
}

// Server is how Picora is reached and where it keeps its data.
type Server struct {
	// Listen is the address of the one public port, host:port.
	Listen string `toml:"listen"`
	// Data is the folder that holds everything Picora keeps.
	Data string `toml:"data"`
	// BaseURL is the public address of the API, scheme and host without a path;
	// empty means: as each request says.
	BaseURL string `toml:"base_url"`
	// MediaURL is the public address of the files; empty means BaseURL.
	MediaURL string `toml:"media_url"`
	// TrustedProxies are the addresses or networks (CIDR) whose X-Forwarded-*
	// headers are believed.
	TrustedProxies []string `toml:"trusted_proxies"`
	// InternalToken opens the internal public-meta endpoints; empty closes them.
	InternalToken string `toml:"internal_token" secret:"yes"`
	// ShutdownTimeout is how long uploads in flight may take to finish at a stop.
	ShutdownTimeout Duration `toml:"shutdown_timeout"`
}

// Accounts is who may have one. An administrator may change these while the server
// runs.
type Accounts struct {
	// Registration says who may open an account: "closed" (nobody: administrators
	// make them), "invite" (who has an invite code) or "open" (everybody).
	Registration string `toml:"registration"`
	// Plan is the plan of new accounts: "none", "trial", "pro" or "pro_plus".
	Plan string `toml:"plan"`
}

// Limits is how many requests callers may send. Each kind of request has a number a
// minute, and a burst that may come on top of a minute's number at once. A number of 0
// is no limit. Administrators have ten times as much, all keys of an account together
// twice as much as one.
type Limits struct {
	// Enabled turns the limits on.
	Enabled bool `toml:"enabled"`
	// ReadPerMinute and ReadBurst are for lists and look-ups.
	ReadPerMinute int `toml:"read_per_minute"`
	ReadBurst     int `toml:"read_burst"`
	// MutationPerMinute and MutationBurst are for changing and deleting.
	MutationPerMinute int `toml:"mutation_per_minute"`
	MutationBurst     int `toml:"mutation_burst"`
	// UploadPerMinute and UploadBurst are for uploads.
	UploadPerMinute int `toml:"upload_per_minute"`
	UploadBurst     int `toml:"upload_burst"`
	// Hourly is for all of them together, in an hour.
	Hourly int `toml:"hourly"`
	// SignInPerMinute and SignInBurst are for signing in, by the client's address.
	// Ten times as many requests with a key or token that is wrong are answered.
	SignInPerMinute int `toml:"sign_in_per_minute"`
	SignInBurst     int `toml:"sign_in_burst"`
}

// Upload bounds what is taken in.
type Upload struct {
	// MaxBytes is the largest picture, in bytes.
	MaxBytes int64 `toml:"max_bytes"`
	// MaxMegapixels is the largest width × height, in millions of pixels.
	MaxMegapixels int `toml:"max_megapixels"`
	// KeepMetadata delivers EXIF, GPS and the like unless an upload says otherwise.
	KeepMetadata bool `toml:"keep_metadata"`
	// IdleTimeout ends an upload that stops sending.
	IdleTimeout Duration `toml:"idle_timeout"`
}

// Fetch is about files that Picora gets from other servers, at addresses that users name.
type Fetch struct {
	// Enabled lets users name such addresses. Other servers then see this one's address.
	Enabled bool `toml:"enabled"`
	// Allow are addresses and networks (CIDR) that files may be fetched from, at any port,
	// though they are not on the internet.
	Allow []string `toml:"allow"`
}

// Blobs is where the bytes lie.
type Blobs struct {
	// Backend is where files are kept: "disk" (in a folder) or "s3" (in a bucket, see S3).
	Backend string `toml:"backend"`
	// Folder is where the disk's files are kept; empty: in the data folder.
	Folder string `toml:"folder"`
	// MinFreeBytes is the room that uploads leave on the disk.
	MinFreeBytes int64 `toml:"min_free_bytes"`
}

// S3 is a bucket of S3 or of a service that speaks its API.
type S3 struct {
	// Endpoint is the service's address, https://host or http://host:port.
	Endpoint string `toml:"endpoint"`
	// Region is the bucket's; empty: the service is asked.
	Region string `toml:"region"`
	Bucket string `toml:"bucket"`
	// Prefix is what the names of all objects begin with, such as "picora/".
	Prefix       string `toml:"prefix"`
	AccessKey    string `toml:"access_key"`
	SecretKey    string `toml:"secret_key" secret:"yes"`
	SessionToken string `toml:"session_token" secret:"yes"` // of temporary keys
	// PathStyle has the bucket's name in the path of addresses, not in the host: most
	// services but Amazon's want that.
	PathStyle bool `toml:"path_style"`
	// Encryption is "AES256", "aws:kms", "aws:kms:KEY" or empty: what the bucket does.
	Encryption string `toml:"encryption"`
	// StorageClass is such as "STANDARD_IA"; empty: the bucket's.
	StorageClass string `toml:"storage_class"`
	// Serve says how clients get files: "proxy" (all through Picora) or "redirect" (large
	// files that are open to all from the service, by an address that is valid for a while).
	Serve string `toml:"serve"`
	// PublicEndpoint is where clients find the service, when that is not at Endpoint; for
	// "redirect".
	PublicEndpoint string `toml:"public_endpoint"`
	// CacheBytes is the room on the local disk for small files of the bucket; 0: none.
	CacheBytes int64 `toml:"cache_bytes"`
}

// Scrub is the nightly check of the files.
type Scrub struct {
	// Hour is when it begins, local time, 0 to 23; -1: never.
	Hour int `toml:"hour"`
	// ReadDays is within how many days the bytes of all files are read; 0: they are not.
	ReadDays int `toml:"read_days"`
}

// CDN is how files are served.
type CDN struct {
	// CacheBytes is the memory for small files (64 KiB and less); 0 turns it off.
	CacheBytes int64 `toml:"cache_bytes"`
}

// Images is how pictures are made of pictures.
type Images struct {
	// Transforms says who may have which: "named" (everybody the variants, and what
	// carries a signature), "signed" (variants need one, too) or "any" (everybody
	// everything). The owner's key opens everything.
	Transforms string `toml:"transforms"`
	// CacheBytes is the room on disk for pictures that were made.
	CacheBytes int64 `toml:"cache_bytes"`
	// Workers is how many pictures are made at a time; 0: one for each processor.
	Workers int `toml:"workers"`
	// Queue is how many requests may wait for a picture to be made.
	Queue int `toml:"queue"`
	// Timeout is how long a request may wait for its turn, and how long making the
	// picture may take then.
	Timeout Duration `toml:"timeout"`
}

// Video is what is made of videos, and how much of the machine that may take.
type Video struct {
	// Ladder are the sizes in which a video is made, by the shorter side in pixels, none
	// above its own.
	Ladder []int `toml:"ladder"`
	// Quality is x264's CRF, from 16 (large) to 32 (small).
	Quality int `toml:"quality"`
	// Preset is x264's: from "ultrafast" to "slow".
	Preset string `toml:"preset"`
	// MaxFrameRate is the highest number of pictures a second.
	MaxFrameRate int `toml:"max_frame_rate"`
	// KeepOriginal keeps the file as it was uploaded when all is made.
	KeepOriginal bool `toml:"keep_original"`
	// Jobs is how many videos are worked on at a time.
	Jobs int `toml:"jobs"`
	// Priority is "idle" (when the machine has nothing else to do), "low" or "normal". It is
	// that of all work which nobody waits for: audio is measured and AVIFs are made at it, too.
	Priority string `toml:"priority"`
	// Tries is how often a video is tried that could not be made for reasons of the machine.
	Tries int `toml:"tries"`
}

// Variant is a prepared transform: the parameters of an address by name, texts or
// numbers.
type Variant map[string]any

// Mail is the server that takes Picora's mail.
type Mail struct {
	// Host is its name; empty: no mail is sent, and codes are in the log.
	Host string `toml:"host"`
	// Port is its port.
	Port int `toml:"port"`
	// TLS is "starttls" (the connection must become encrypted), "tls" (it is from the
	// start) or "none".
	TLS string `toml:"tls"`
	// User and Password are for servers that ask; empty: none.
	User     string `toml:"user"`
	Password string `toml:"password" secret:"yes"`
	// From is the sender, "Name <address>" or an address.
	From string `toml:"from"`
}

// Log is what is written to standard error.
type Log struct {
	// Level is debug, info, warn or error.
	Level string `toml:"level"`
	// Format is text or json.
	Format string `toml:"format"`
}

// Metrics is the Prometheus listener.
type Metrics struct {
	// Listen is its address, host:port; empty turns it off.
	Listen string `toml:"listen"`
}

// Default is the configuration of a Picora that nobody configured.
func Default() Config {
	return Config{
		Server: Server{
			Listen:          ":3102",
			Data:            "./data",
			TrustedProxies:  []string{},
			ShutdownTimeout: Duration(30 * time.Second),
		},
		Accounts: Accounts{Registration: "closed", Plan: "pro"},
		Limits: Limits{
			Enabled:       true,
			ReadPerMinute: 600, ReadBurst: 30,
			MutationPerMinute: 120, MutationBurst: 10,
			UploadPerMinute: 60, UploadBurst: 5,
			Hourly:          5000,
			SignInPerMinute: 30, SignInBurst: 10,
		},
		Upload: Upload{
			MaxBytes:      50 << 20,
			MaxMegapixels: 250,
			IdleTimeout:   Duration(60 * time.Second),
		},
		Fetch: Fetch{Enabled: true, Allow: []string{}},
		Blobs: Blobs{Backend: "disk", MinFreeBytes: 512 << 20},
		S3:    S3{PathStyle: true, Serve: "proxy", CacheBytes: 1 << 30},
		Scrub: Scrub{Hour: 4, ReadDays: 30},
		CDN:   CDN{CacheBytes: 64 << 20},
		Images: Images{
			Transforms: "named",
			CacheBytes: 4 << 30,
			Queue:      200,
			Timeout:    Duration(30 * time.Second),
		},
		Video: Video{
			Ladder:  []int{240, 360, 480, 720, 1080, 1440, 2160},
			Quality: 23, Preset: "veryfast", MaxFrameRate: 60, KeepOriginal: true,
			Jobs: 1, Priority: "idle", Tries: 5,
		},
		Mail:  Mail{Port: 587, TLS: "starttls"},
		Log:   Log{Level: "info", Format: "text"},
		Plans: defaultPlans(),
		Variants: map[string]Variant{
			"thumb":  {"w": int64(320), "h": int64(320), "fmt": "auto", "q": int64(75)},
			"small":  {"w": int64(640), "h": int64(640), "fmt": "auto"},
			"medium": {"w": int64(1280), "h": int64(1280), "fmt": "auto"},
			"large":  {"w": int64(2560), "h": int64(2560), "fmt": "auto"},
		},
	}
}

// Duration is a time.Duration written as "30s" or "5m" in files and variables.
type Duration time.Duration

// UnmarshalText reads a duration such as "30s".
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err == nil {
		*d = Duration(v)
	}
	return err
}

// MarshalText writes the duration as Go does, "30s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d Duration) String() string { return time.Duration(d).String() }
