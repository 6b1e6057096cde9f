/** A key pair that cosign 3.1.3 generated for these tests. */
export const cosignPassword = 'correct horse';

export const cosignKey = `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
OCwicCI6MX0sInNhbHQiOiJFajRzRVp0bTBhdkhjVU9JNXRycUJ6enBlem43V21S
blM4aUphM0xHQks4PSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiJJdU5CSUR1TjVCczFsY0FPdFRhRWN2T1pRYmdacUNxVyJ9LCJj
aXBoZXJ0ZXh0Ijoic3QzNFhFN0NkU3krejIxWFVDYmZIRVNpZ3MyWTFNV29sSHpD
LzlhNXFWSEZERnl6b0UrWXFFd2Z2N3VlMGxpeG5jamEvcENXRlFTR3l6ZnNqTXJm
elBPbGlUYnYrY0Qzc0JZdk9YUWs4elU4blg5UmlGMHVzY1dRbkJHOEdKK2o5Ny9t
LzFOWHdONzNCbHR5d2hsNVh5L1hXaGRpUy90ei9VdkloWVBkUXZqZWhQNFQ3Rmhw
L3JwM2Zud0dlcWFxY2lpa2JSR2p5NGlpMHc9PSJ9
-----END ENCRYPTED SIGSTORE PRIVATE KEY-----
`;

export const cosignPub = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBlglBfOBu57Zch2dQ63BOHb0yyxG
kYD1RagUgEPC/OaiEzs7yHlSmXuoSHZJ7iI1sKE7QSc8r/fwEGMGuH0ddw==
-----END PUBLIC KEY-----
`;

/** What cosign 2.6.5 signed with that key. */
export const cosignSigned = {
  digest: 'sha256:186f7416d85c8611c99198758910992f72b6e9cb3c96caa6bd371bffb0b0c130',
  payload:
    '{"critical":{"identity":{"docker-reference":"127.0.0.1:17351/a/fix"},"image":{"docker-manifest-digest":"sha256:186f7416d85c8611c99198758910992f72b6e9cb3c96caa6bd371bffb0b0c130"},"type":"cosign container image signature"},"optional":null}',
  signature: 'MEUCIQD+UsGs0YxXe8C8/vfrh/S/Y532n21pUHS3fiIq4vraLQIgAWmas8cb4rSQAWcxF98CBBd+yPYmWAaM1b7vFG1SnbE=',
} as const;
