{
  family: 'web',
  containerDefinitions: [{ name: 'web', image: 'nginx:1' }],
}
