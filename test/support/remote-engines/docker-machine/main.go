package main

import (
	"encoding/gob"
	"os"
	"path/filepath"

	"github.com/codegangsta/cli"
	"github.com/docker/machine/commands"
	"github.com/docker/machine/commands/mcndirs"
	"github.com/docker/machine/drivers/generic"
	"github.com/docker/machine/drivers/none"
	"github.com/docker/machine/libmachine/drivers/plugin"
	"github.com/docker/machine/libmachine/drivers/plugin/localbinary"
	"github.com/docker/machine/libmachine/log"
)

func main() {
	gob.Register(cli.StringSlice{})
	if os.Getenv(localbinary.PluginEnvKey) == localbinary.PluginEnvVal {
		switch os.Getenv(localbinary.PluginEnvDriverName) {
		case "none":
			plugin.RegisterDriver(none.NewDriver("", ""))
		case "generic":
			plugin.RegisterDriver(generic.NewDriver("", ""))
		}
		return
	}
	localbinary.CurrentBinaryIsDockerMachine = true
	app := cli.NewApp()
	app.Name = filepath.Base(os.Args[0])
	app.Commands = commands.Commands
	app.Flags = []cli.Flag{
		cli.StringFlag{EnvVar: "MACHINE_STORAGE_PATH", Name: "storage-path, s", Value: mcndirs.GetBaseDir()},
		cli.StringFlag{Name: "tls-ca-cert"},
		cli.StringFlag{Name: "tls-ca-key"},
		cli.StringFlag{Name: "tls-client-cert"},
		cli.StringFlag{Name: "tls-client-key"},
		cli.StringFlag{Name: "github-api-token"},
		cli.BoolFlag{Name: "native-ssh"},
		cli.StringFlag{Name: "bugsnag-api-token"},
	}
	if err := app.Run(os.Args); err != nil {
		log.Error(err)
		os.Exit(1)
	}
}
