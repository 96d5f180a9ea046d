package main

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/colaflow/colaflow/cmd/colaflow/internal/clientconfig"
	"github.com/colaflow/colaflow/tokens"
)

// defaultURL is where demo and serve listen unless told otherwise, and so what
// --public-url says elsewhere: it is the issuer of links, which must be the same.
const defaultURL = "http://127.0.0.1:8080"

// defaultTokenAddr is where they serve tokens alone.
const defaultTokenAddr = "127.0.0.1:8081"

// configFlags are those of config.
type configFlags struct {
	token, url, tokenURL, publicURL, name, data, file string
	write, link                                       bool
}

func (p *program) configCommand() *cobra.Command {
	var f configFlags
	cmd := &cobra.Command{
		Use:   "config CLIENT",
		Short: "Print what an MCP client needs to connect, or write it into its settings",
		Long: `Print what an MCP client needs to connect: ` + strings.Join(clientconfig.Names(), ", ") + `.

With --write it goes into the client's settings. Everything else in them stays as it
is, comments too; what was there before is kept beside it as .bak.

Claude Desktop starts colaflow stdio on this machine: on the embedded database, or
with --url as a bridge to a server. The others speak to the server at --url.`,
		Example: `  colaflow config claude-desktop --token mcp_acme_...
  colaflow config vscode --token mcp_acme_... --url https://colaflow.example.com --write
  COLAFLOW_TOKEN=mcp_acme_... colaflow config cursor --write  # keeps it out of the shell's history`,
		Args:      oneArgument("the client: " + strings.Join(clientconfig.Names(), ", ")),
		ValidArgs: clientconfig.Names(),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := clientconfig.Find(args[0])
			if err != nil {
				return usagef(cmd, "%w", err)
			}
			server, err := f.server(cmd)
			if err != nil {
				return err
			}
			if f.link && f.write {
				return usagef(cmd, "--link and --write exclude each other")
			}
			if f.link {
				link := client.Link(server)
				if link == "" {
					return usagef(cmd, "%s takes no links", client.Title)
				}
				return p.printf("%s\n", link)
			}
			if !f.write {
				return p.printf("%s\n", client.Snippet(server))
			}
			return p.writeConfig(client, server, f.file)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.token, "token", "", "token of the agent")
	flags.StringVar(&f.url, "url", "", "address of the server (default "+defaultURL+"; claude-desktop: none)")
	flags.StringVar(&f.tokenURL, "token-url", "", "address of the server for tokens alone (its --token-addr), for claude-code and cursor, which would ask for OAuth at the other (default http://"+defaultTokenAddr+", or --url)")
	flags.StringVar(&f.name, "name", "colaflow", "name of the entry; give each tenant its own")
	flags.StringVar(&f.data, "data", "", "claude-desktop without --url: directory of the embedded database")
	flags.StringVar(&f.publicURL, "public-url", defaultURL, "claude-desktop without --url: how people reach the server that opens the links in answers")
	flags.StringVar(&f.file, "file", "", "with --write: the settings file, if it is not in its usual place")
	flags.BoolVar(&f.write, "write", false, "write into the client's settings")
	flags.BoolVar(&f.link, "link", false, "vscode, cursor: print a link instead that adds the server with one click")
	return cmd
}

// server is what the flags say about the server.
func (f configFlags) server(cmd *cobra.Command) (clientconfig.Server, error) {
	if f.token == "" {
		return clientconfig.Server{}, usagef(cmd, "--token is missing; make one with: colaflow token create --tenant ... --name ...")
	}
	if _, _, ok := tokens.Parse(f.token); !ok {
		return clientconfig.Server{}, usagef(cmd, "--token is not a ColaFlow token: it has the form mcp_<tenant>_<32 hex digits>")
	}
	endpoint, err := endpointOf(cmp.Or(f.url, defaultURL))
	if err != nil {
		return clientconfig.Server{}, usagef(cmd, "%w", err)
	}
	alone, err := endpointOf(cmp.Or(f.tokenURL, f.url, "http://"+defaultTokenAddr))
	if err != nil {
		return clientconfig.Server{}, usagef(cmd, "--token-url: %w", err)
	}
	program, err := os.Executable()
	if err != nil {
		return clientconfig.Server{}, fmt.Errorf("find this program: %w", err)
	}
	s := clientconfig.Server{Name: f.name, URL: endpoint, TokenURL: alone, Token: f.token, Program: program, Args: []string{"stdio"}}
	if f.url != "" {
		s.Args = append(s.Args, "--url", endpoint)
		return s, nil
	}
	s.Args = append(s.Args, publicURLArgs(f.publicURL)...)
	if f.data != "" {
		dir, err := choice{data: f.data}.dataDir()
		if err != nil {
			return s, err
		}
		s.Args = append(s.Args, "--data", dir)
	}
	return s, nil
}

// publicURLArgs tell stdio of the server that opens its links, if it is not where
// stdio would look for it.
func publicURLArgs(url string) []string {
	if url == defaultURL {
		return nil
	}
	return []string{"--public-url", url}
}

// endpointOf adds the path of the MCP endpoint to a server's address.
func endpointOf(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("--url must be like https://colaflow.example.com")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/mcp"
	}
	return u.String(), nil
}

func (p *program) writeConfig(client clientconfig.Client, server clientconfig.Server, file string) error {
	if file == "" {
		home, err := p.home()
		if err != nil {
			return err
		}
		file = client.File(home)
	}
	w, err := client.Write(file, server)
	if err != nil {
		return err
	}
	verb := "Added"
	if w.Replaced {
		verb = "Replaced"
	}
	text := fmt.Sprintf("%s %q in %s.", verb, server.Name, w.File)
	if w.Backup != "" {
		text += " What was there before is in " + w.Backup + "."
	}
	text += "\nRestart " + client.Title + " to connect."
	if !client.Private {
		text += "\nThe file holds a token now: keep it out of version control."
	}
	return p.printf("%s\n", text)
}

// home is where this person's files are.
func (p *program) home() (clientconfig.Home, error) {
	dir, err := os.UserHomeDir()
	if err != nil {
		return clientconfig.Home{}, fmt.Errorf("this account has no home directory (%w): name the settings file with --file", err)
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return clientconfig.Home{}, fmt.Errorf("find the settings directory (%w): name the settings file with --file", err)
	}
	work, err := os.Getwd()
	if err != nil {
		return clientconfig.Home{}, fmt.Errorf("find the working directory (%w): name the settings file with --file", err)
	}
	return clientconfig.Home{Dir: dir, Config: config, Work: work}, nil
}
